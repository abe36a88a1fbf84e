// What the seed's own coupling must compute.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <vector>

#include "server/common/philox.h"
#include "server/flows/parameters.h"
#include "server/flows/torch_flow.h"
#include "tests/flows/tensors.h"

namespace sluiced::flows {
namespace {

constexpr uint64_t kSeed = 7;

struct Case {
  int64_t dim, context_dim;
  double bound;
};

class SeedCouplingTest : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(Table, SeedCouplingTest,
                         testing::Values(Case{1, 0, 2}, Case{2, 0, 0}, Case{5, 0, 2},
                                         Case{4, 3, 2}));

// Written out with the seed's masks over all columns.
TEST_P(SeedCouplingTest, AgreesWithTheMaskedFormula) {
  const auto [dim, context_dim, bound] = GetParam();
  FlowSpec spec;
  spec.dim = dim;
  spec.context_dim = context_dim;
  spec.layers = 1;
  spec.depth = 3;
  spec.hidden = 8;
  spec.dtype = DType::kFloat64;
  spec.scale_bound = bound;
  spec.initialization = Initialization::kUniform;
  const torch::Tensor parameters = TensorOf(InitialParameters(spec, kSeed));
  const torch::Tensor rows =
      torch::sin(torch::arange(9 * RowColumns(spec), torch::kFloat64)).view({9, RowColumns(spec)});
  const torch::Tensor z = rows.narrow(1, 0, dim);
  torch::Tensor mask = torch::zeros({dim}, z.options());
  mask.narrow(0, 0, dim / 2).fill_(1);
  std::vector<torch::Tensor> nets;
  const std::vector<ParameterSlice> layout = ParameterLayout(spec);
  const size_t slices = layout.size() / 2;
  for (size_t net = 0; net < 2; ++net) {
    torch::Tensor h = torch::cat({z * mask, rows.narrow(1, dim, context_dim)}, 1);
    for (size_t i = net * slices; i < (net + 1) * slices; i += 2) {
      auto part = [&](const ParameterSlice& slice) {
        return parameters.narrow(0, slice.offset, slice.size).view(slice.shape);
      };
      if (i > net * slices) h = torch::leaky_relu(h, 0.01);
      h = torch::linear(h, part(layout[i]), part(layout[i + 1]));
    }
    nets.push_back(h);
  }
  const torch::Tensor scale = bound > 0 ? bound * torch::tanh(nets[0] / bound) : nets[0];
  const torch::Tensor expected = z * mask + (1 - mask) * (z * torch::exp(scale) + nets[1]);
  const TorchFlow flow(spec, {});
  const TorchFlow::Result image = flow.FromBase(flow.Bind(parameters), rows);
  EXPECT_TRUE(torch::allclose(image.values, expected, 1e-11, 1e-11));
  EXPECT_TRUE(torch::allclose(image.ladj, ((1 - mask) * scale).sum(1), 1e-11, 1e-11));
}

TEST(RealNvp, BuiltInInferenceModeItStillTrains) {
  FlowSpec spec;
  spec.dim = 2;
  spec.layers = 2;
  auto build = [&] {
    const torch::InferenceMode guard;
    return TorchFlow(spec, {.shift = {1, 2}, .scale = {3, 4}});
  };
  const TorchFlow flow = build();
  const torch::Tensor parameters = TensorOf(InitialParameters(spec, kSeed)).requires_grad_();
  const torch::Tensor x = torch::ones({4, 2}).requires_grad_();
  const auto gradients =
      torch::autograd::grad({flow.LogProb(flow.Bind(parameters), x).sum()}, {parameters, x});
  EXPECT_EQ(gradients[0].numel(), ParameterCount(spec));
  EXPECT_TRUE(gradients[1].isfinite().all().item<bool>());
}

}  // namespace
}  // namespace sluiced::flows
