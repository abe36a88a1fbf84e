// Our optimiser against torch.optim's, as the seed used it.
#include "server/training/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "server/common/safetensors.h"
#include "server/flows/parameters.h"
#include "server/flows/torch_flow.h"
#include "tests/flows/tensors.h"

namespace sluiced::training {
namespace {

SafetensorsFile Read(const std::string& name) {
  std::ifstream file(std::string(SLUICE_TEST_DATA "/parity/") + name, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  return DecodeSafetensors(bytes).value();
}

// Tensors named PREFIX + the seed's names, as one flat buffer.
torch::Tensor Flatten(const SafetensorsFile& file, const flows::FlowSpec& spec,
                      const std::string& prefix) {
  std::vector<torch::Tensor> parts;
  for (const flows::ParameterSlice& slice : flows::ParameterLayout(spec)) {
    parts.push_back(flows::TensorOf(file.tensors.at(prefix + slice.name)).flatten());
  }
  return torch::cat(parts);
}

struct ParityCase {
  const char* name;
  int64_t dim, layers, hidden;
  DType dtype;
  double tolerance;
};

class AdamParity : public testing::TestWithParam<ParityCase> {};
INSTANTIATE_TEST_SUITE_P(
    Files, AdamParity,
    testing::Values(ParityCase{"d2_l8_h32_f32", 2, 8, 32, DType::kFloat32, 1e-4},
                    ParityCase{"d2_l8_h32_f64", 2, 8, 32, DType::kFloat64, 1e-10},
                    ParityCase{"d5_l7_h16_f32", 5, 7, 16, DType::kFloat32, 1e-4},
                    ParityCase{"d5_l7_h16_f64", 5, 7, 16, DType::kFloat64, 1e-10}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_P(AdamParity, TenFullBatchStepsEndWhereTheSeedsDo) {
  const ParityCase& parity = GetParam();
  flows::FlowSpec spec;
  spec.dim = parity.dim;
  spec.layers = parity.layers;
  spec.hidden = parity.hidden;
  spec.dtype = parity.dtype;
  spec.scale_bound = 0;
  spec.standardize = false;
  const SafetensorsFile expected = Read(std::string(parity.name) + ".expected.safetensors");
  const torch::Tensor x = flows::TensorOf(expected.tensors.at("x"));
  const torch::Tensor start =
      Flatten(Read(std::string(parity.name) + ".weights.safetensors"), spec, "");
  const flows::TorchFlow flow(spec, {});
  Weights weights = Weights::Fresh(std::make_shared<const Array>(flows::ArrayOf(start)));
  Updater updater({});
  for (int step = 0; step < 10; ++step) {
    const torch::Tensor parameters = flows::TensorOf(*weights.parameters).requires_grad_();
    const torch::Tensor loss = -flow.LogProb(flow.Bind(parameters), x).mean();
    const torch::Tensor gradient = torch::autograd::grad({loss}, {parameters})[0];
    weights = updater.Update(1e-3, flows::ArrayOf(gradient), 0, weights);
  }
  const torch::Tensor wanted = Flatten(expected, spec, "adam10/");
  const double error = (flows::TensorOf(*weights.parameters) - wanted).abs().max().item<double>();
  EXPECT_LE(error, parity.tolerance * std::max(1.0, wanted.abs().max().item<double>()));
}

struct OptimizerCase {
  Optimizer optimizer;
  double weight_decay;
};

// Many steps on a moving gradient, in step with torch::optim.
TEST(Update, FollowsTorchOptim) {
  for (const OptimizerCase& c : {OptimizerCase{Optimizer::kAdam, 0},
                                 {Optimizer::kAdam, 0.1},
                                 {Optimizer::kAdamW, 0},
                                 {Optimizer::kAdamW, 0.1}}) {
    TrainConfig config;
    config.optimizer = c.optimizer;
    config.weight_decay = c.weight_decay;
    config.beta1 = 0.8;
    config.beta2 = 0.95;
    config.epsilon = 1e-6;
    const torch::Tensor start = torch::linspace(-2, 2, 17, torch::kFloat64);
    torch::Tensor theirs = start.clone();
    Weights ours = Weights::Fresh(std::make_shared<const Array>(flows::ArrayOf(start)));
    const auto make = [&](auto options) {
      return options.betas({0.8, 0.95}).eps(1e-6).weight_decay(c.weight_decay);
    };
    torch::optim::Adam adam({theirs}, make(torch::optim::AdamOptions(0.01)));
    torch::optim::AdamW adamw({theirs}, make(torch::optim::AdamWOptions(0.01)));
    Updater updater(config);
    for (int step = 0; step < 100; ++step) {
      theirs.mutable_grad() = theirs.cos() + 0.1 * step;
      const torch::Tensor gradient = flows::TensorOf(*ours.parameters).cos() + 0.1 * step;
      ours = updater.Update(0.01, flows::ArrayOf(gradient), 0, ours);
      if (c.optimizer == Optimizer::kAdam) {
        adam.step();
      } else {
        adamw.step();
      }
    }
    EXPECT_EQ(ours.updates, 100);
    EXPECT_TRUE(torch::allclose(flows::TensorOf(*ours.parameters), theirs, 1e-12, 1e-12))
        << c.weight_decay;
  }
}

TEST(Update, ClipsTheGradientAtTheNorm) {
  const auto start = std::make_shared<const Array>(DType::kFloat32, std::vector<int64_t>{3});
  const Array gradient = Array::FromFloats({3}, std::vector<float>{6, 0, -8});
  const Array halved = Array::FromFloats({3}, std::vector<float>{3, 0, -4});
  ASSERT_EQ(Norm(gradient), 10);
  TrainConfig config;
  config.epsilon = 1;
  config.clip_norm = 5;
  Updater updater(config);
  const Weights weights = Weights::Fresh(start);
  EXPECT_EQ(*updater.Update(0.1, gradient, 10, weights).parameters,
            *updater.Update(0.1, halved, 5, weights).parameters);
}

// Weights that somebody holds are never written over.
TEST(Update, TakesOnlyMemoryThatNobodyHolds) {
  const auto start = std::make_shared<const Array>(DType::kFloat64, std::vector<int64_t>{3});
  const Array gradient = Array::FromDoubles({3}, std::vector<double>{1, -2, 3});
  Updater updater({});
  std::vector<Weights> held = {Weights::Fresh(start)};
  std::vector<Array> copies;
  for (int step = 0; step < 5; ++step) {
    held.push_back(updater.Update(0.1, gradient, 0, held.back()));
    copies.push_back(*held.back().parameters);
  }
  for (size_t i = 0; i < copies.size(); ++i) EXPECT_EQ(*held[i + 1].parameters, copies[i]);
  // The first step's memory serves again once it is let go.
  const Array* first = held[1].parameters.get();
  held.erase(held.begin() + 1);
  const Weights next = updater.Update(0.1, gradient, 0, held.back());
  EXPECT_TRUE(next.parameters.get() == first || next.first_moment.get() == first ||
              next.second_moment.get() == first);
}

}  // namespace
}  // namespace sluiced::training
