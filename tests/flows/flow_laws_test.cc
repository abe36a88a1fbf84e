// What must hold for every flow, over a table of them.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/common/philox.h"
#include "server/flows/base_draws.h"
#include "server/flows/parameters.h"
#include "server/flows/torch_flow.h"
#include "tests/flows/law_cases.h"
#include "tests/flows/tensors.h"

namespace sluiced::flows {
namespace {

constexpr uint64_t kSeed = 11;

class FlowLaws : public testing::TestWithParam<LawCase> {
 protected:
  const FlowSpec& spec() const { return GetParam().spec; }
  double Tolerance() const { return spec().dtype == DType::kFloat32 ? 2e-3 : 1e-9; }

  torch::Tensor Normals(int64_t n) const {
    const int64_t columns = NormalColumns(spec());
    Array rows(DType::kFloat64, {n, columns});
    NormalRows(kSeed, Stream::kEvaluate, 0, 0, columns, rows.as<double>());
    return TensorOf(rows.To(spec().dtype));
  }
  torch::Tensor Context(int64_t n) const { return TensorOf(LawContext(spec(), n)); }
  torch::Tensor WithContext(const torch::Tensor& points) const {
    return torch::cat({points, Context(points.size(0))}, 1);
  }
  // Draws of the base.
  torch::Tensor Base(int64_t n) const { return flow_.base().FromNormals(bound_.base, Normals(n)); }
  // Draws of the flow.
  torch::Tensor Data(int64_t n) const {
    return flow_.FromBase(bound_, WithContext(Base(n))).values;
  }

  bool Close(const torch::Tensor& a, const torch::Tensor& b) const {
    return torch::allclose(a, b, Tolerance(), Tolerance());
  }

  const TorchFlow flow_{GetParam().spec, GetParam().standardization};
  const torch::Tensor parameters_ = TensorOf(LawParameters(spec()));
  const TorchFlow::Bound bound_ = flow_.Bind(parameters_);
};

std::vector<LawCase> CasesWhere(const std::function<bool(const FlowSpec&)>& has) {
  std::vector<LawCase> cases;
  for (LawCase& one : LawCases()) {
    if (has(one.spec)) cases.push_back(std::move(one));
  }
  return cases;
}
std::string NameOf(const testing::TestParamInfo<LawCase>& run) { return run.param.name; }

INSTANTIATE_TEST_SUITE_P(Table, FlowLaws, testing::ValuesIn(LawCases()), NameOf);

class FlowLawsInTheDoublePlane : public FlowLaws {};
INSTANTIATE_TEST_SUITE_P(Table, FlowLawsInTheDoublePlane,
                         testing::ValuesIn(CasesWhere([](auto& spec) {
                           return spec.dim <= 2 && spec.dtype == DType::kFloat64;
                         })),
                         NameOf);

class FlowLawsOnTheDoubleLine : public FlowLaws {};
INSTANTIATE_TEST_SUITE_P(Table, FlowLawsOnTheDoubleLine,
                         testing::ValuesIn(CasesWhere([](auto& spec) {
                           return spec.dim == 1 && spec.dtype == DType::kFloat64;
                         })),
                         NameOf);

class FlowLawsOfColumns : public FlowLaws {};
INSTANTIATE_TEST_SUITE_P(Table, FlowLawsOfColumns, testing::ValuesIn(CasesWhere([](auto& spec) {
                           return !spec.columns.empty();
                         })),
                         NameOf);

class AutoregressiveLaws : public FlowLaws {};
INSTANTIATE_TEST_SUITE_P(Table, AutoregressiveLaws, testing::ValuesIn(CasesWhere([](auto& spec) {
                           return IsAutoregressive(spec.architecture) &&
                                  spec.mixing == Mixing::kAlternate;
                         })),
                         NameOf);

TEST_P(FlowLaws, RoundTrip) {
  const torch::Tensor z = Base(50);
  const TorchFlow::Result data = flow_.FromBase(bound_, WithContext(z));
  ASSERT_TRUE(data.values.isfinite().all().item<bool>());
  const TorchFlow::Result base = flow_.ToBase(bound_, WithContext(data.values));
  EXPECT_TRUE(Close(base.values, z)) << (base.values - z).abs().max();
  EXPECT_TRUE(Close(base.ladj, -data.ladj)) << (base.ladj + data.ladj).abs().max();
  EXPECT_EQ(base.ladj.sizes(), torch::IntArrayRef({50}));
}

TEST_P(FlowLaws, LogDetMatchesTheJacobian) {
  for (bool to_base : {true, false}) {
    const torch::Tensor point = (to_base ? Data(1) : Base(1)).detach().requires_grad_();
    const TorchFlow::Result image = to_base ? flow_.ToBase(bound_, WithContext(point))
                                            : flow_.FromBase(bound_, WithContext(point));
    std::vector<torch::Tensor> rows;
    for (int64_t column = 0; column < spec().dim; ++column) {
      rows.push_back(torch::autograd::grad({image.values[0][column]}, {point}, {},
                                           /*retain_graph=*/true)[0]);
    }
    const torch::Tensor jacobian = torch::cat(rows, 0).to(torch::kFloat64);
    EXPECT_NEAR(image.ladj.item<double>(), jacobian.det().abs().log().item<double>(), Tolerance());
  }
}

TEST_P(FlowLaws, LayersEndInTheValue) {
  for (bool to_base : {true, false}) {
    const torch::Tensor rows = WithContext(to_base ? Data(3) : Base(3));
    const TorchFlow::Result image = to_base ? flow_.ToBase(bound_, rows, KeepLayers::kYes)
                                            : flow_.FromBase(bound_, rows, KeepLayers::kYes);
    ASSERT_EQ(image.layers.size(), static_cast<size_t>(spec().layers));
    EXPECT_TRUE(torch::equal(image.layers.back(), image.values));
  }
}

TEST_P(FlowLaws, EveryParameterAndPointHasAFiniteGradient) {
  const torch::Tensor leaf = parameters_.detach().clone().requires_grad_();
  const torch::Tensor rows = WithContext(Data(20)).detach().requires_grad_();
  const torch::Tensor loss = -flow_.LogProb(flow_.Bind(leaf), rows).mean();
  const auto gradients = torch::autograd::grad({loss}, {leaf, rows});
  EXPECT_TRUE(gradients[0].isfinite().all().item<bool>());
  EXPECT_TRUE(gradients[1].isfinite().all().item<bool>());
  if (spec().context_dim > 0) {
    EXPECT_GT(gradients[1].narrow(1, spec().dim, spec().context_dim).abs().sum().item<double>(), 0);
  }
}

TEST_P(FlowLaws, AFlowSamplesWhatItScores) {
  const FlowState state{spec(), LawParameters(spec()), GetParam().standardization};
  const auto flow = Flow::Create(state);
  ASSERT_TRUE(flow.ok()) << flow.status();
  const Array context = LawContext(spec(), 40);
  const auto samples = (*flow)->Sample(40, kSeed, 3, context);
  ASSERT_TRUE(samples.ok()) << samples.status();
  const torch::Tensor rows = torch::cat({TensorOf(samples->x), TensorOf(context)}, 1);
  const auto log_prob = (*flow)->LogProb(ArrayOf(rows));
  ASSERT_TRUE(log_prob.ok()) << log_prob.status();
  EXPECT_TRUE(Close(TensorOf(*log_prob), TensorOf(samples->log_prob)))
      << (TensorOf(*log_prob) - TensorOf(samples->log_prob)).abs().max();
  // Any other part of the endless sample has the same rows.
  const auto part = (*flow)->Sample(7, kSeed, 13, context.Rows(10, 7));
  EXPECT_EQ(part->x, samples->x.Rows(10, 7));
  EXPECT_EQ(part->log_prob, samples->log_prob.Rows(10, 7));
}

TEST_P(FlowLawsOfColumns, NoDensityOutsideOfASupport) {
  const auto flow = Flow::Create({spec(), LawParameters(spec()), GetParam().standardization});
  ASSERT_TRUE(flow.ok()) << flow.status();
  const torch::Tensor data = Data(1).detach();
  for (const Column& column : spec().columns) {
    for (const double outside : {-1.5, -1.0 - 1e-6, 3.5}) {
      torch::Tensor x = data.clone();
      x[0][column.index] = outside;
      const double log_prob = (*flow)->LogProb(ArrayOf(WithContext(x)))->At(0);
      const bool is_in = column.support == Support::kPeriodic ||
                         (column.support == Support::kPositive && outside > 0);
      if (is_in) {
        EXPECT_TRUE(std::isfinite(log_prob)) << TextOf(column) << " at " << outside;
      } else {
        EXPECT_EQ(log_prob, -std::numeric_limits<double>::infinity())
            << TextOf(column) << " at " << outside;
      }
    }
  }
}

// The integral of q over all x of one or two dimensions, along u in [0, 1]^dim with x a
// map of u that covers the support.
TEST_P(FlowLawsInTheDoublePlane, IntegratesToOne) {
  const int64_t points = spec().dim == 1 ? 20'000 : 500;
  const torch::Tensor u = (torch::arange(points, torch::kFloat64) + 0.5) / points;
  std::vector<torch::Tensor> axes, weights;
  for (const Column& column : ColumnsOf(spec())) {
    const bool bounded =
        column.support == Support::kInterval || column.support == Support::kPeriodic;
    const torch::Tensor logit = u.log() - (-u).log1p(), slope = 1 / (u * (1 - u));
    const bool positive = column.support == Support::kPositive;
    // Wide enough for heavy tails: x = 4 sinh(logit u / 2).
    const torch::Tensor real = 4 * torch::sinh(logit / 2),
                        real_slope = 2 * torch::cosh(logit / 2) * slope;
    axes.push_back(bounded    ? column.low + (column.high - column.low) * u
                   : positive ? torch::exp(2 * logit)
                              : real);
    weights.push_back(bounded    ? torch::full_like(u, column.high - column.low)
                      : positive ? torch::exp(2 * logit) * 2 * slope
                                 : real_slope);
  }
  torch::Tensor x = axes[0].unsqueeze(1), weight = weights[0];
  if (spec().dim == 2) {
    x = torch::stack({axes[0].repeat_interleave(points), axes[1].repeat({points})}, 1);
    weight = (weights[0].unsqueeze(1) * weights[1].unsqueeze(0)).flatten();
  }
  const torch::NoGradGuard no_grad;
  const torch::Tensor context = Context(1).expand({x.size(0), spec().context_dim});
  const torch::Tensor log_prob = flow_.LogProb(bound_, torch::cat({x, context}, 1));
  const double integral = (log_prob.exp() * weight).sum().item<double>() /
                          std::pow(static_cast<double>(points), static_cast<double>(spec().dim));
  EXPECT_NEAR(integral, 1, spec().dim == 1 ? 2e-3 : 1e-2);
}

TEST_P(FlowLawsOnTheDoubleLine, ABaseDrawsWhatItScores) {
  const torch::NoGradGuard no_grad;
  const auto bump = [](const torch::Tensor& z) { return torch::exp(-(z - 0.3).square()); };
  const torch::Tensor draws = Base(40'000);
  const torch::Tensor grid = torch::linspace(-40, 40, 80'001, torch::kFloat64).unsqueeze(1);
  const torch::Tensor density = flow_.base().LogProb(bound_.base, grid).exp().unsqueeze(1);
  const double expected = (density * bump(grid)).sum().item<double>() * 1e-3;
  EXPECT_NEAR(bump(draws).mean().item<double>(), expected, 6e-3);
}

TEST_P(AutoregressiveLaws, AMapIsTriangular) {
  FlowSpec one = spec();
  one.layers = 1;
  const TorchFlow flow(one, GetParam().standardization);
  const torch::Tensor parameters = TensorOf(LawParameters(one));
  const torch::Tensor point = Data(1).detach().requires_grad_();
  const TorchFlow::Result image = flow.ToBase(flow.Bind(parameters), WithContext(point));
  for (int64_t column = 0; column < one.dim; ++column) {
    const torch::Tensor row =
        torch::autograd::grad({image.values[0][column]}, {point}, {}, /*retain_graph=*/true)[0];
    EXPECT_EQ(row.narrow(1, column + 1, one.dim - column - 1).abs().sum().item<double>(), 0);
    EXPECT_NE(row[0][column].item<double>(), 0);
  }
}

}  // namespace
}  // namespace sluiced::flows
