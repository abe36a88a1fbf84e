// Ours against what the seed's own code computed on PyTorch.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "server/flows/parameters.h"
#include "server/flows/torch_flow.h"
#include "tests/flows/parity_files.h"
#include "tests/flows/tensors.h"

namespace sluiced::flows {
namespace {

class RealNvpParity : public testing::TestWithParam<ParityCase> {
 protected:
  double ValueTolerance() const { return GetParam().dtype == DType::kFloat32 ? 1e-5 : 1e-10; }
  double StepTolerance() const { return GetParam().dtype == DType::kFloat32 ? 1e-4 : 1e-10; }
  const Array& Expected(const std::string& name) const { return expected_.tensors.at(name); }

  const FlowState state_ = ParityState(GetParam());
  const SafetensorsFile expected_ = ParityExpected(GetParam());
  const TorchFlow net_{state_.spec, {}};
  const torch::Tensor x_ = TensorOf(Expected("x"));
};

INSTANTIATE_TEST_SUITE_P(Seed, RealNvpParity, testing::ValuesIn(kParityCases),
                         [](const auto& run) { return run.param.file; });

TEST_P(RealNvpParity, GradientsOfTheMeanNegativeLogLikelihood) {
  const torch::Tensor parameters = TensorOf(state_.parameters).requires_grad_();
  const torch::Tensor loss = -net_.LogProb(net_.Bind(parameters), x_).mean();
  const torch::Tensor gradient = torch::autograd::grad({loss}, {parameters})[0];
  const Array expected = Flatten(expected_, state_.spec, "grad/");
  EXPECT_LT(LargestError(ArrayOf(gradient), expected), StepTolerance());
}

TEST_P(RealNvpParity, TenStepsOfAdam) {
  const torch::Tensor parameters = TensorOf(state_.parameters).requires_grad_();
  torch::optim::Adam adam({parameters}, torch::optim::AdamOptions(1e-3));
  const Array& losses = Expected("adam_loss");
  for (int64_t step = 0; step < losses.size(); ++step) {
    const torch::Tensor loss = -net_.LogProb(net_.Bind(parameters), x_).mean();
    EXPECT_NEAR(loss.item<double>(), losses.At(step), StepTolerance()) << "step " << step;
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
  const Array expected = Flatten(expected_, state_.spec, "adam10/");
  EXPECT_LT(LargestError(ArrayOf(parameters), expected), StepTolerance());
}

}  // namespace
}  // namespace sluiced::flows
