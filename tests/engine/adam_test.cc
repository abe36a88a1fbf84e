// The optimiser step against torch.optim's.
#include "server/engine/adam.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <vector>

#include "tests/engine/engine_support.h"
#include "tests/flows/tensors.h"

namespace sluiced::engine {
namespace {

constexpr int64_t kNumbers = 1003;

struct Settings {
  bool decoupled;
  double weight_decay, clip_norm;
};

class AdamIsTorchs : public testing::TestWithParam<Settings> {};

INSTANTIATE_TEST_SUITE_P(Table, AdamIsTorchs,
                         testing::Values(Settings{false, 0, 0}, Settings{false, 0.1, 0},
                                         Settings{true, 0.1, 0}, Settings{true, 0.01, 5}));

std::unique_ptr<torch::optim::Optimizer> TorchOptimizer(const Settings& settings,
                                                        const torch::Tensor& parameters) {
  if (settings.decoupled) {
    return std::make_unique<torch::optim::AdamW>(
        std::vector<torch::Tensor>{parameters},
        torch::optim::AdamWOptions(1e-2).weight_decay(settings.weight_decay));
  }
  return std::make_unique<torch::optim::Adam>(
      std::vector<torch::Tensor>{parameters},
      torch::optim::AdamOptions(1e-2).weight_decay(settings.weight_decay));
}

template <typename T>
AdamState<const T> Const(const AdamState<T>& state) {
  return {state.parameters, state.first_moment, state.second_moment};
}

template <typename T>
void ExpectTorchs(const Settings& settings, DType dtype, double tolerance) {
  Array parameters = Normals(kNumbers, 1, dtype);
  torch::Tensor expected = flows::TensorOf(parameters).requires_grad_();
  const auto optimizer = TorchOptimizer(settings, expected);
  Array first(dtype, parameters.shape()), second(dtype, parameters.shape());
  for (int64_t update = 1; update <= 20; ++update) {
    const Array gradient =
        Normals(kNumbers * (update + 1), 1, dtype).Rows(kNumbers * update, kNumbers);
    const double norm = Norm<T>(gradient.as<T>());
    EXPECT_NEAR(norm, flows::TensorOf(gradient).norm().item<double>(), norm * 1e-6);
    const AdamStep step = {.learning_rate = 1e-2,
                           .weight_decay = settings.weight_decay,
                           .decoupled = settings.decoupled,
                           .updates = update,
                           .gradient_scale = ClipScale(norm, settings.clip_norm)};
    const AdamState<T> state = {parameters.as<T>(), first.as<T>(), second.as<T>()};
    Update<T>(step, gradient.as<T>(), Const(state), state);
    expected.mutable_grad() = flows::TensorOf(gradient) * step.gradient_scale;
    optimizer->step();
    EXPECT_LT(LargestGap(parameters, flows::ArrayOf(expected)), tolerance) << update;
  }
}

TEST_P(AdamIsTorchs, InFloat32) { ExpectTorchs<float>(GetParam(), DType::kFloat32, 2e-6); }
TEST_P(AdamIsTorchs, InFloat64) { ExpectTorchs<double>(GetParam(), DType::kFloat64, 1e-14); }

TEST(ClipScale, ShortensOnlyWhatIsTooLong) {
  EXPECT_EQ(ClipScale(10, 5), 0.5);
  EXPECT_EQ(ClipScale(4, 5), 1);
  EXPECT_EQ(ClipScale(10, 0), 1);
}

TEST(Norm, TellsOverflow) {
  const std::vector<float> gradient = {1, std::nanf(""), 2};
  EXPECT_TRUE(std::isnan(Norm<float>(gradient)));
}

}  // namespace
}  // namespace sluiced::engine
