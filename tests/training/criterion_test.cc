// The criteria have the gradients of their values.
#include "server/training/criterion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

#include "server/flows/parameters.h"
#include "server/flows/torch_flow.h"
#include "server/flows/torch_setup.h"
#include "tests/flows/tensors.h"

namespace sluiced::training {
namespace {

std::unique_ptr<FlowGradients> Flow(const flows::FlowSpec& spec,
                                    const flows::Standardization& standardization = {}) {
  return MakeGradients(spec, standardization, /*threads=*/1);
}

class StandardNormal final : public targets::Target {
 public:
  StandardNormal() : Target("standard-normal", "N(0, I)", 0, {-5, -5}, {5, 5}) {}
  void Evaluate(std::span<const double> x, std::span<double> log_density,
                std::span<double> gradient) const override {
    for (size_t row = 0; row < log_density.size(); ++row) {
      const double squares = x[2 * row] * x[2 * row] + x[2 * row + 1] * x[2 * row + 1];
      log_density[row] = -0.5 * squares - std::log(2 * std::numbers::pi);
    }
    for (size_t i = 0; i < gradient.size(); ++i) gradient[i] = -x[i];
  }
  void EvaluateContinued(std::span<const double> x, std::span<double> log_density,
                         std::span<double> gradient) const override {
    Evaluate(x, log_density, gradient);
  }
};

torch::Tensor GradientOf(Criterion& criterion, const Array& parameters, int64_t rows) {
  Array gradient;
  criterion.Batch(parameters, 0, rows, &gradient);
  return flows::TensorOf(gradient);
}

double ValueAt(Criterion& criterion, const Array& parameters, int64_t rows) {
  return criterion.Batch(parameters, 0, rows, nullptr);
}

// Every test runs on both executors.
class OnExecutor : public testing::TestWithParam<flows::Executor> {
 protected:
  static flows::FlowSpec SmallSpec(flows::Initialization initialization) {
    flows::FlowSpec spec;
    spec.dim = 2;
    spec.layers = 4;
    spec.hidden = 8;
    spec.dtype = DType::kFloat64;
    spec.initialization = initialization;
    spec.executor = GetParam();
    return spec;
  }

  static void ExpectGradientOfValue(Criterion& criterion, const Array& parameters, int64_t rows) {
    Array gradient;
    const double value = criterion.Batch(parameters, 0, rows, &gradient);
    // The engine sums in another order without a gradient.
    const double slack = GetParam() == flows::Executor::kTorch ? 0 : 1e-13 * (1 + std::abs(value));
    EXPECT_NEAR(value, ValueAt(criterion, parameters, rows), slack);
    constexpr double kStep = 1e-6;
    for (int64_t i = 0; i < parameters.size(); i += 7) {
      Array up = parameters, down = parameters;
      up.as<double>()[static_cast<size_t>(i)] += kStep;
      down.as<double>()[static_cast<size_t>(i)] -= kStep;
      const double difference =
          (ValueAt(criterion, up, rows) - ValueAt(criterion, down, rows)) / (2 * kStep);
      EXPECT_NEAR(gradient.At(i), difference, 1e-6 * (1 + std::abs(difference))) << i;
    }
  }
};
using ReverseKl = OnExecutor;
using Likelihood = OnExecutor;
const auto kExecutors = testing::Values(flows::Executor::kTorch, flows::Executor::kEngine);
const auto kNameOfTest = [](const auto& test) { return std::string(NameOf(test.param)); };
INSTANTIATE_TEST_SUITE_P(Both, ReverseKl, kExecutors, kNameOfTest);
INSTANTIATE_TEST_SUITE_P(Both, Likelihood, kExecutors, kNameOfTest);

TEST_P(ReverseKl, HasTheGradientOfItsValue) {
  const flows::FlowSpec spec = SmallSpec(flows::Initialization::kUniform);
  const Array parameters = flows::InitialParameters(spec, 3);
  const flows::Standardization standardization = {{0.1, -0.2}, {1.5, 0.7}};
  for (const flows::Standardization& map : {flows::Standardization{}, standardization}) {
    for (const char* name : {"two-moons", "u4", "banana", "gaussian"}) {
      TrainConfig config;
      config.rows = 32;
      const auto criterion =
          MakeReverseKl(Flow(spec, map), config, *targets::FindTarget(name).value(), spec);
      criterion->BeginEpoch(0);
      ExpectGradientOfValue(*criterion, parameters, 32);
    }
  }
}

TEST_P(ReverseKl, WithoutScoreNoNoiseIsLeftAtTheOptimum) {
  const flows::FlowSpec spec = SmallSpec(flows::Initialization::kIdentity);
  const Array parameters = flows::InitialParameters(spec, 3);
  const StandardNormal target;
  TrainConfig config;
  const auto with_score = MakeReverseKl(Flow(spec), config, target, spec);
  config.drop_score = true;
  const auto without_score = MakeReverseKl(Flow(spec), config, target, spec);
  with_score->BeginEpoch(0);
  without_score->BeginEpoch(0);
  EXPECT_GT(GradientOf(*with_score, parameters, 64).abs().max().item<double>(), 1e-3);
  EXPECT_LT(GradientOf(*without_score, parameters, 64).abs().max().item<double>(), 1e-12);
  EXPECT_NEAR(ValueAt(*without_score, parameters, 64), 0, 1e-12);
}

// The two differ by the mean score, whose expectation is zero.
TEST_P(ReverseKl, ScoreTermHasMeanZero) {
  flows::SetUpTorch();
  const flows::FlowSpec spec = SmallSpec(flows::Initialization::kUniform);
  const Array parameters = flows::InitialParameters(spec, 5);
  TrainConfig config;
  config.rows = 50'000;
  const targets::Target& target = *targets::FindTarget("gaussian").value();
  const auto with_score = MakeReverseKl(Flow(spec), config, target, spec);
  config.drop_score = true;
  const auto without_score = MakeReverseKl(Flow(spec), config, target, spec);
  with_score->BeginEpoch(0);
  without_score->BeginEpoch(0);
  const torch::Tensor a = GradientOf(*with_score, parameters, config.rows);
  const torch::Tensor b = GradientOf(*without_score, parameters, config.rows);
  EXPECT_LT((a - b).norm().item<double>(), 0.04 * std::max(a.norm().item<double>(), 1.0));
}

TEST_P(ReverseKl, DrawsAreFreshUnlessFixed) {
  const flows::FlowSpec spec = SmallSpec(flows::Initialization::kUniform);
  const Array parameters = flows::InitialParameters(spec, 5);
  for (bool fixed : {false, true}) {
    TrainConfig config;
    config.fixed_draws = fixed;
    const auto criterion =
        MakeReverseKl(Flow(spec), config, *targets::FindTarget("u1").value(), spec);
    criterion->BeginEpoch(0);
    const double first = ValueAt(*criterion, parameters, 10);
    criterion->BeginEpoch(1);
    EXPECT_EQ(ValueAt(*criterion, parameters, 10) == first, fixed);
  }
}

TEST_P(Likelihood, HasTheGradientOfItsValue) {
  const flows::FlowSpec spec = SmallSpec(flows::Initialization::kUniform);
  const Array parameters = flows::InitialParameters(spec, 5);
  Array rows(DType::kFloat64, {40, 2});
  for (size_t i = 0; i < 80; ++i) rows.as<double>()[i] = std::sin(static_cast<double>(i));
  TrainConfig config;
  const auto criterion = MakeLikelihood(Flow(spec, {{0.5, 0}, {2, 1}}), config, rows, spec.dtype,
                                        SplitRows(40, 0, 1).value());
  criterion->BeginEpoch(0);
  ExpectGradientOfValue(*criterion, parameters, 40);
}

// Plain maximum likelihood, whatever a single row loses.
TEST_P(Likelihood, AStrayRowCountsAsEveryOther) {
  const flows::FlowSpec spec = SmallSpec(flows::Initialization::kUniform);
  const Array parameters = flows::InitialParameters(spec, 5);
  Array rows(DType::kFloat64, {40, 2});
  for (size_t i = 0; i < 80; ++i) rows.as<double>()[i] = std::sin(static_cast<double>(i));
  rows.as<double>()[0] = 1e4;
  const auto criterion =
      MakeLikelihood(Flow(spec), TrainConfig{}, rows, spec.dtype, SplitRows(40, 0, 1).value());
  criterion->BeginEpoch(0);
  const double mean = criterion->Measure(parameters)["train_loss"];
  EXPECT_GT(mean, 1e4);
  EXPECT_NEAR(ValueAt(*criterion, parameters, 40), mean, 1e-9 * mean);
  const torch::Tensor leaf = flows::TensorOf(parameters).requires_grad_();
  const flows::TorchFlow flow(spec, {});
  const torch::Tensor plain = -flow.LogProb(flow.Bind(leaf), flows::TensorOf(rows)).mean();
  const torch::Tensor expected = torch::autograd::grad({plain}, {leaf})[0];
  EXPECT_TRUE(torch::allclose(GradientOf(*criterion, parameters, 40), expected, 1e-9));
}

TEST_P(Likelihood, BatchesCoverTheTrainingRowsOnceAnEpoch) {
  const flows::FlowSpec spec = SmallSpec(flows::Initialization::kUniform);
  const Array parameters = flows::InitialParameters(spec, 5);
  Array rows(DType::kFloat32, {101, 2});
  for (size_t i = 0; i < 202; ++i) rows.as<float>()[i] = std::sin(static_cast<float>(i));
  const Split split = SplitRows(101, 0.2, 1).value();
  for (bool shuffle : {false, true}) {
    TrainConfig config;
    config.shuffle = shuffle;
    const auto criterion = MakeLikelihood(Flow(spec), config, rows, spec.dtype, split);
    ASSERT_EQ(criterion->rows_per_epoch(), 81);
    criterion->BeginEpoch(4);
    double sum = 0;
    for (int64_t first = 0; first < 81; first += 10) {
      const int64_t count = std::min<int64_t>(10, 81 - first);
      sum += criterion->Batch(parameters, first, count, nullptr) * static_cast<double>(count);
    }
    EXPECT_NEAR(sum / 81, criterion->Measure(parameters).at("train_loss"), 1e-12);
  }
}

}  // namespace
}  // namespace sluiced::training
