// The engine's values against LibTorch's, over a table of flows.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <limits>

#include "server/engine/plan.h"
#include "server/engine/simd_target.h"
#include "server/flows/torch_flow.h"
#include "tests/engine/engine_support.h"
#include "tests/flows/law_cases.h"
#include "tests/flows/parity_files.h"
#include "tests/flows/tensors.h"

namespace sluiced::engine {
namespace {

using flows::ArrayOf;
using flows::TensorOf;

constexpr int64_t kBatches[] = {1, 7, 24, 25, 1000};

// What a plan of either dtype gives, as arrays.
class ArrayPlan {
 public:
  ArrayPlan(const flows::FlowSpec& spec, const flows::Standardization& map, const Array& parameters)
      : dtype_(spec.dtype) {
    if (dtype_ == DType::kFloat32) {
      floats_ = std::make_unique<Plan<float>>(spec, map, parameters.as<float>());
    } else {
      doubles_ = std::make_unique<Plan<double>>(spec, map, parameters.as<double>());
    }
  }

  Array LogProb(const Array& x) {
    Array result(dtype_, {x.rows()});
    Visit([&]<typename T>(const Plan<T>& plan, Workspace<T>& workspace) {
      plan.LogProb(x.as<T>(), result.as<T>(), workspace);
    });
    return result;
  }
  flows::Images Map(const Array& from, int64_t dim, bool to_base) {
    flows::Images images = {Array(dtype_, {from.rows(), dim}), Array(dtype_, {from.rows()}), {}};
    Visit([&]<typename T>(const Plan<T>& plan, Workspace<T>& workspace) {
      if (to_base) {
        plan.ToBase(from.as<T>(), images.values.as<T>(), images.ladj.as<T>(), workspace);
      } else {
        plan.FromBase(from.as<T>(), images.values.as<T>(), images.ladj.as<T>(), workspace);
      }
    });
    return images;
  }
  flows::Samples Sample(int64_t n, int64_t dim, uint64_t seed, int64_t first_row,
                        const Array& context) {
    flows::Samples samples = {Array(dtype_, {n, dim}), Array(dtype_, {n})};
    Visit([&]<typename T>(const Plan<T>& plan, Workspace<T>& workspace) {
      plan.Sample(seed, first_row, context.as<T>(), samples.x.as<T>(), samples.log_prob.as<T>(),
                  workspace);
    });
    return samples;
  }

 private:
  template <typename F>
  void Visit(F&& visit) {
    if (floats_ != nullptr) {
      visit(*floats_, float_workspace_);
    } else {
      visit(*doubles_, double_workspace_);
    }
  }

  DType dtype_;
  std::unique_ptr<Plan<float>> floats_;
  std::unique_ptr<Plan<double>> doubles_;
  Workspace<float> float_workspace_;
  Workspace<double> double_workspace_;
};

class EngineLaws : public testing::TestWithParam<Case> {
 protected:
  // Without a bound on the scales a flow may stretch rounding errors as it does points;
  // splines are as steep as they are flat elsewhere.
  double Tolerance() const {
    const bool stretches = spec_.scale_bound == 0 || IsSpline(spec_.architecture);
    return (spec_.dtype == DType::kFloat32 ? 1e-5 : 1e-12) * (stretches ? 10 : 1);
  }
  Array ContextOf(int64_t n) const { return flows::LawContext(spec_, n); }

  const flows::FlowSpec spec_ = GetParam().spec;
  const flows::Standardization map_ = GetParam().map;
  const Array parameters_ = ParametersOf(spec_);
  const flows::TorchFlow reference_{spec_, map_};
  const flows::TorchFlow::Bound bound_ = reference_.Bind(TensorOf(parameters_));
  ArrayPlan plan_{spec_, map_, parameters_};
};

INSTANTIATE_TEST_SUITE_P(Table, EngineLaws, testing::ValuesIn(Table()),
                         [](const auto& run) { return run.param.name; });

TEST_P(EngineLaws, ValuesAreTheReferences) {
  const torch::InferenceMode guard;
  for (int64_t n : kBatches) {
    const Array points = Points(n, spec_);
    for (bool to_base : {true, false}) {
      const flows::TorchFlow::Result expected = to_base
                                                    ? reference_.ToBase(bound_, TensorOf(points))
                                                    : reference_.FromBase(bound_, TensorOf(points));
      const flows::Images actual = plan_.Map(points, spec_.dim, to_base);
      EXPECT_LT(LargestGap(actual.values, ArrayOf(expected.values)), Tolerance()) << n;
      EXPECT_LT(LargestGap(actual.ladj, ArrayOf(expected.ladj)), Tolerance()) << n;
    }
    const torch::Tensor log_prob = reference_.LogProb(bound_, TensorOf(points));
    EXPECT_LT(LargestGap(plan_.LogProb(points), ArrayOf(log_prob)), Tolerance()) << n;
  }
}

TEST_P(EngineLaws, SamplesAreTheReferences) {
  const auto flow = flows::Flow::Create({spec_, parameters_, map_}).value();
  const flows::Samples expected = flow->Sample(60, kSeed, 5, ContextOf(60)).value();
  const flows::Samples actual = plan_.Sample(60, spec_.dim, kSeed, 5, ContextOf(60));
  EXPECT_LT(LargestGap(actual.x, expected.x), Tolerance());
  EXPECT_LT(LargestGap(actual.log_prob, expected.log_prob), Tolerance());
}

TEST_P(EngineLaws, RowsKnowNothingOfTheirNeighbours) {
  const Array points = Points(131, spec_), context = ContextOf(131);
  const Array all = plan_.LogProb(points);
  const flows::Images images = plan_.Map(points, spec_.dim, false);
  const flows::Samples samples = plan_.Sample(131, spec_.dim, kSeed, 0, context);
  for (int64_t first : {0, 1, 47, 130}) {
    for (int64_t count : {1, 2, 4, 5, 16, 24, 33, 97}) {
      if (first + count > 131) continue;
      const Array part = points.Rows(first, count);
      EXPECT_EQ(plan_.LogProb(part), all.Rows(first, count));
      EXPECT_EQ(plan_.Map(part, spec_.dim, false).values, images.values.Rows(first, count));
      EXPECT_EQ(plan_.Sample(count, spec_.dim, kSeed, first, context.Rows(first, count)).x,
                samples.x.Rows(first, count));
    }
  }
}

// Where the reference overflows, so does the engine, to the same infinity.
TEST_P(EngineLaws, OverflowIsTheReferences) {
  const auto flow = flows::Flow::Create({spec_, parameters_, map_}).value();
  const double extremes[] = {1e30, -1e30, 1e38, -1e38, 1e-40, 1e-45, 0.0, 3e5};
  Array points(DType::kFloat64, {64, flows::RowColumns(spec_)});
  for (int64_t i = 0; i < points.size(); ++i) {
    points.as<double>()[static_cast<size_t>(i)] = extremes[static_cast<size_t>(i * 7 + i / 5) % 8];
  }
  points = points.To(spec_.dtype);
  const Array expected = flow->LogProb(points).value();
  const Array actual = plan_.LogProb(points);
  const double loose = spec_.dtype == DType::kFloat32 ? 1e-3 : 1e-9;
  for (int64_t i = 0; i < expected.size(); ++i) {
    ASSERT_FALSE(std::isnan(actual.At(i)));
    EXPECT_EQ(std::isfinite(actual.At(i)), std::isfinite(expected.At(i))) << i;
    if (!std::isfinite(expected.At(i))) continue;
    EXPECT_NEAR(actual.At(i), expected.At(i), loose * (1 + std::abs(expected.At(i)))) << i;
  }
}

class EngineTargets : public testing::TestWithParam<SimdTarget> {
 protected:
  void SetUp() override { UseSimdTarget(GetParam()); }
  void TearDown() override { UseSimdTarget(SimdTargets().front()); }
};

INSTANTIATE_TEST_SUITE_P(All, EngineTargets, testing::ValuesIn(SimdTargets()),
                         [](const auto& run) { return run.param.name; });

TEST_P(EngineTargets, AgreeWithTheReference) {
  const torch::InferenceMode guard;
  for (const Case& one : Table()) {
    if (one.spec.hidden == 64) continue;
    const Array parameters = ParametersOf(one.spec), x = Points(53, one.spec);
    const Array actual = ArrayPlan(one.spec, one.map, parameters).LogProb(x);
    const flows::TorchFlow flow(one.spec, one.map);
    const torch::Tensor expected = flow.LogProb(flow.Bind(TensorOf(parameters)), TensorOf(x));
    const double least = one.spec.dtype == DType::kFloat32 ? 1e-5 : 1e-12;
    EXPECT_LT(LargestGap(actual, ArrayOf(expected)),
              least * (IsSpline(one.spec.architecture) ? 10 : 1))
        << one.name;
    const Array few = ArrayPlan(one.spec, one.map, parameters).LogProb(x.Rows(50, 2));
    EXPECT_EQ(few, actual.Rows(50, 2)) << one.name;
  }
}

class EngineParity : public testing::TestWithParam<flows::ParityCase> {};

INSTANTIATE_TEST_SUITE_P(Seed, EngineParity, testing::ValuesIn(flows::kParityCases),
                         [](const auto& run) { return run.param.file; });

TEST_P(EngineParity, LogProbIsTheSeeds) {
  const flows::FlowState state = flows::ParityState(GetParam());
  const SafetensorsFile expected = flows::ParityExpected(GetParam());
  ArrayPlan plan(state.spec, state.standardization, state.parameters);
  EXPECT_LT(LargestGap(plan.LogProb(expected.tensors.at("x")), expected.tensors.at("log_prob")),
            GetParam().dtype == DType::kFloat32 ? 1e-5 : 1e-12);
}

}  // namespace
}  // namespace sluiced::engine
