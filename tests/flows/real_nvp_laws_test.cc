// What must hold for every RealNVP, over a table of them.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <string>
#include <vector>

#include "server/common/philox.h"
#include "server/flows/parameters.h"
#include "server/flows/real_nvp.h"
#include "tests/flows/tensors.h"

namespace sluiced::flows {
namespace {

constexpr uint64_t kSeed = 7;

struct Law {
  int64_t dim, layers, depth;
  DType dtype;
  double bound;
  bool standardized;
};

std::vector<Law> Table() {
  std::vector<Law> table;
  for (int64_t dim : {1, 2, 3, 5, 16}) {
    for (int64_t layers : {1, 2, 7, 8}) {
      for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
        for (double bound : {0.0, 2.0}) {
          const bool standardized = bound > 0;
          table.push_back({dim, layers, /*depth=*/1 + layers % 3, dtype, bound, standardized});
        }
      }
    }
  }
  return table;
}

std::string NameOf(const testing::TestParamInfo<Law>& run) {
  const Law& law = run.param;
  return "dim" + std::to_string(law.dim) + "_layers" + std::to_string(law.layers) +
         (law.dtype == DType::kFloat32 ? "_f32" : "_f64") + (law.bound > 0 ? "_bounded" : "_raw");
}

class RealNvpLaws : public testing::TestWithParam<Law> {
 protected:
  static FlowSpec SpecOf(const Law& law) {
    FlowSpec spec;
    spec.dim = law.dim;
    spec.layers = law.layers;
    spec.depth = law.depth;
    spec.hidden = 8;
    spec.dtype = law.dtype;
    spec.scale_bound = law.bound;
    spec.initialization = Initialization::kUniform;
    return spec;
  }
  static Standardization MapOf(const Law& law) {
    Standardization map;
    for (int64_t column = 0; law.standardized && column < law.dim; ++column) {
      map.shift.push_back(static_cast<double>(column) - 1.5);
      map.scale.push_back(0.5 + static_cast<double>(column));
    }
    return map;
  }
  torch::Tensor Points(int64_t n) const {
    Array rows(DType::kFloat64, {n, spec_.dim});
    NormalRows(kSeed, Stream::kEvaluate, 0, 0, spec_.dim, rows.as<double>());
    return TensorOf(rows.To(spec_.dtype));
  }
  double Tolerance() const { return spec_.dtype == DType::kFloat32 ? 2e-4 : 1e-11; }

  const FlowSpec spec_ = SpecOf(GetParam());
  const Standardization map_ = MapOf(GetParam());
  const RealNvp net_{spec_, map_};
  const torch::Tensor parameters_ = TensorOf(InitialParameters(spec_, kSeed));
};

INSTANTIATE_TEST_SUITE_P(Table, RealNvpLaws, testing::ValuesIn(Table()), NameOf);

TEST_P(RealNvpLaws, RoundTrip) {
  const torch::Tensor x = Points(50);
  const RealNvp::Result base = net_.ToBase(parameters_, x);
  const RealNvp::Result back = net_.FromBase(parameters_, base.values);
  EXPECT_TRUE(torch::allclose(back.values, x, Tolerance(), Tolerance()));
  EXPECT_TRUE(torch::allclose(back.ladj, -base.ladj, Tolerance(), Tolerance()));
  EXPECT_EQ(base.ladj.sizes(), torch::IntArrayRef({50}));
}

TEST_P(RealNvpLaws, LogDetMatchesTheJacobian) {
  for (bool to_base : {true, false}) {
    const torch::Tensor point = Points(1).requires_grad_();
    const RealNvp::Result image =
        to_base ? net_.ToBase(parameters_, point) : net_.FromBase(parameters_, point);
    std::vector<torch::Tensor> rows;
    for (int64_t column = 0; column < spec_.dim; ++column) {
      rows.push_back(torch::autograd::grad({image.values[0][column]}, {point}, {},
                                           /*retain_graph=*/true)[0]);
    }
    const torch::Tensor jacobian = torch::cat(rows, 0).to(torch::kFloat64);
    EXPECT_NEAR(image.ladj.item<double>(), jacobian.det().abs().log().item<double>(), Tolerance());
  }
}

TEST_P(RealNvpLaws, LayersEndInTheValue) {
  const torch::Tensor x = Points(3);
  for (bool to_base : {true, false}) {
    const RealNvp::Result image = to_base ? net_.ToBase(parameters_, x, KeepLayers::kYes)
                                          : net_.FromBase(parameters_, x, KeepLayers::kYes);
    ASSERT_EQ(image.layers.size(), static_cast<size_t>(spec_.layers));
    EXPECT_TRUE(torch::equal(image.layers.back(), image.values));
  }
}

// The first layer of FromBase, written out with the seed's masks over all columns.
TEST_P(RealNvpLaws, AgreesWithTheMaskedFormula) {
  FlowSpec spec = spec_;
  spec.layers = 1;
  const torch::Tensor parameters = parameters_.narrow(0, 0, ParameterCount(spec));
  const torch::Tensor z = Points(9);
  torch::Tensor mask = torch::zeros({spec.dim}, z.options());
  mask.narrow(0, 0, spec.dim / 2).fill_(1);
  std::vector<torch::Tensor> nets;
  const std::vector<ParameterSlice> layout = ParameterLayout(spec);
  const size_t slices = layout.size() / 2;
  for (size_t net = 0; net < 2; ++net) {
    torch::Tensor h = z * mask;
    for (size_t i = net * slices; i < (net + 1) * slices; i += 2) {
      auto part = [&](const ParameterSlice& slice) {
        return parameters.narrow(0, slice.offset, slice.size).view(slice.shape);
      };
      if (i > net * slices) h = torch::leaky_relu(h, 0.01);
      h = torch::linear(h, part(layout[i]), part(layout[i + 1]));
    }
    nets.push_back(h);
  }
  const double bound = spec.scale_bound;
  const torch::Tensor scale = bound > 0 ? bound * torch::tanh(nets[0] / bound) : nets[0];
  const torch::Tensor expected = z * mask + (1 - mask) * (z * torch::exp(scale) + nets[1]);
  const RealNvp::Result image = RealNvp(spec, {}).FromBase(parameters, z);
  EXPECT_TRUE(torch::allclose(image.values, expected, Tolerance(), Tolerance()));
  EXPECT_TRUE(torch::allclose(image.ladj, ((1 - mask) * scale).sum(1), Tolerance(), Tolerance()));
}

TEST(RealNvp, BuiltInInferenceModeItStillTrains) {
  FlowSpec spec;
  spec.dim = 2;
  spec.layers = 2;
  auto build = [&] {
    const torch::InferenceMode guard;
    return RealNvp(spec, {.shift = {1, 2}, .scale = {3, 4}});
  };
  const RealNvp net = build();
  const torch::Tensor parameters = TensorOf(InitialParameters(spec, kSeed)).requires_grad_();
  const torch::Tensor x = torch::ones({4, 2}).requires_grad_();
  const auto gradients = torch::autograd::grad({net.LogProb(parameters, x).sum()}, {parameters, x});
  EXPECT_EQ(gradients[0].numel(), ParameterCount(spec));
  EXPECT_TRUE(gradients[1].isfinite().all().item<bool>());
}

}  // namespace
}  // namespace sluiced::flows
