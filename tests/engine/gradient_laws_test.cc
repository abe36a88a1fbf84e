// The engine's losses and gradients against LibTorch's autograd.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <vector>

#include "server/engine/crew.h"
#include "server/engine/simd_target.h"
#include "server/engine/training_plan.h"
#include "server/flows/base_draws.h"
#include "server/flows/torch_flow.h"
#include "tests/engine/engine_support.h"
#include "tests/flows/parity_files.h"
#include "tests/flows/tensors.h"

namespace sluiced::engine {
namespace {

using flows::ArrayOf;
using flows::TensorOf;

struct Gradient {
  double loss = 0;
  Array gradient;
};

enum class Loss { kLikelihood, kReverseKl, kReverseKlWithoutScore };

// d log p / dx of a density with a little of everything: -x + cos x.
template <typename T>
void SlopeOf(std::span<const T> x, std::span<T> slope) {
  for (size_t i = 0; i < x.size(); ++i) slope[i] = std::cos(x[i]) - x[i];
}

class GradientLaws : public testing::TestWithParam<Case> {
 protected:
  const flows::FlowSpec spec_ = GetParam().spec;
  const flows::Standardization map_ = GetParam().map;
  const Array parameters_ = ParametersOf(spec_);

  Array Draws(int64_t n) const { return Normals(n, flows::NormalColumns(spec_), spec_.dtype); }

  // Among very many hidden units one may be so close to LeakyReLU's kink that its sum
  // rounds to the other side, which a gradient shows: in float32 only.
  double Tolerance() const {
    if (spec_.dtype == DType::kFloat64) return IsSpline(spec_.architecture) ? 1e-11 : 1e-12;
    return spec_.hidden > 64 ? 2e-3 : 2e-5;
  }

  template <typename T>
  Gradient Engine(Loss loss, const Array& rows, TaskRunner* runner) const {
    Gradient result = {0, Array(spec_.dtype, parameters_.shape())};
    TrainingPlan<T> plan(spec_, map_, parameters_.as<T>(), runner);
    if (loss == Loss::kLikelihood) {
      result.loss = plan.Likelihood(rows.as<T>(), result.gradient.as<T>());
    } else {
      const Score score = loss == Loss::kReverseKl ? Score::kKeep : Score::kDrop;
      const auto slope = [](size_t, std::span<const T> x, std::span<T> out) { SlopeOf(x, out); };
      result.loss = plan.ReverseKl(rows.as<T>(), score, slope, result.gradient.as<T>());
    }
    return result;
  }
  Gradient Engine(Loss loss, const Array& rows, TaskRunner* runner) const {
    return spec_.dtype == DType::kFloat32 ? Engine<float>(loss, rows, runner)
                                          : Engine<double>(loss, rows, runner);
  }
  Gradient Engine(Loss loss, const Array& rows) const {
    InlineRunner runner;
    return Engine(loss, rows, &runner);
  }

  // server/training's own formulas.
  Gradient Reference(Loss loss, const Array& rows) const {
    const flows::TorchFlow flow(spec_, map_);
    const torch::Tensor parameters = TensorOf(parameters_).requires_grad_();
    torch::Tensor value, mean;
    if (loss == Loss::kLikelihood) {
      value = mean = -flow.LogProb(flow.Bind(parameters), TensorOf(rows)).mean();
    } else {
      const flows::TorchFlow::Bound bound = flow.Bind(parameters);
      const torch::Tensor z = flow.base().FromNormals(bound.base, TensorOf(rows));
      const flows::TorchFlow::Result image = flow.FromBase(bound, z);
      const torch::Tensor x = image.values.detach();
      mean = (flow.base().LogProb(bound.base, z) - image.ladj).mean();
      const torch::Tensor path = ((torch::cos(x) - x) * image.values).sum(1).mean();
      const torch::Tensor entropy =
          loss == Loss::kReverseKl
              ? mean
              : flow.LogProb(flow.Bind(parameters.detach()), image.values).mean();
      value = entropy - path;
    }
    const torch::Tensor gradient = torch::autograd::grad(
        {value}, {parameters}, {}, /*retain_graph=*/false, /*create_graph=*/false,
        /*allow_unused=*/true)[0];
    return {mean.item<double>(), ArrayOf(gradient)};
  }

  // Of so many float32 rows, that by which gradients may differ: where a unit's input is
  // zero but for rounding, LeakyReLU's slope is one or the other, and which one depends on
  // the processor's BLAS too. Among some million inputs that befalls one or two rows.
  double KinkShare(int64_t rows) const {
    return spec_.dtype == DType::kFloat32 && rows >= 300 ? 2.0 / static_cast<double>(rows) : 0;
  }

  void ExpectReference(Loss loss, const Array& rows) const {
    const Gradient actual = Engine(loss, rows), expected = Reference(loss, rows);
    if (!std::isfinite(expected.loss)) {
      EXPECT_FALSE(std::isfinite(actual.loss));
      return;
    }
    EXPECT_NEAR(actual.loss, expected.loss, Tolerance() * (1 + std::abs(expected.loss)));
    // Gradients are sums of both signs: against the largest.
    double largest = 1;
    for (int64_t i = 0; i < expected.gradient.size(); ++i) {
      largest = std::max(largest, std::abs(expected.gradient.At(i)));
    }
    double gap = 0;
    for (int64_t i = 0; i < expected.gradient.size(); ++i) {
      gap = std::max(gap, std::abs(actual.gradient.At(i) - expected.gradient.At(i)));
    }
    EXPECT_LT(gap, (Tolerance() + KinkShare(rows.rows())) * largest);
  }
};

INSTANTIATE_TEST_SUITE_P(Table, GradientLaws, testing::ValuesIn(Table()),
                         [](const auto& run) { return run.param.name; });

TEST_P(GradientLaws, OfTheLikelihood) {
  for (int64_t n : {1, 7, 24, 25, 1000}) {
    if (n == 1000 && spec_.hidden == 257) continue;  // Costs minutes under sanitizers.
    ExpectReference(Loss::kLikelihood, Points(n, spec_));
  }
}

TEST_P(GradientLaws, OfReverseKl) {
  if (spec_.context_dim > 0) return;
  for (int64_t n : {1, 25, 300}) {
    ExpectReference(Loss::kReverseKl, Draws(n));
  }
}

TEST_P(GradientLaws, OfReverseKlWithoutScore) {
  if (spec_.context_dim > 0) return;
  for (int64_t n : {1, 25, 300}) {
    ExpectReference(Loss::kReverseKlWithoutScore, Draws(n));
  }
}

TEST_P(GradientLaws, ThreadsChangeNoBit) {
  if (spec_.hidden > 64) return;
  for (Loss loss : {Loss::kLikelihood, Loss::kReverseKl, Loss::kReverseKlWithoutScore}) {
    if (loss != Loss::kLikelihood && spec_.context_dim > 0) continue;
    const Array rows = loss == Loss::kLikelihood ? Points(1000, spec_) : Draws(1000);
    const Gradient expected = Engine(loss, rows);
    for (int threads : {2, 8}) {
      Crew crew(threads);
      const Gradient actual = Engine(loss, rows, &crew);
      if (!std::isfinite(expected.loss)) continue;  // NaN equals nothing.
      EXPECT_EQ(actual.loss, expected.loss);
      EXPECT_EQ(actual.gradient, expected.gradient);
    }
  }
}

// A plan that got other parameters is as one that was made of them.
TEST_P(GradientLaws, OtherParametersTakeOver) {
  if (spec_.hidden > 64) return;
  const auto check = [&]<typename T>() {
    Array other = parameters_;
    for (T& value : other.as<T>()) value *= T{0.75};
    const auto before = std::as_const(parameters_).as<T>(), after = std::as_const(other).as<T>();
    InlineRunner runner;
    TrainingPlan<T> plan(spec_, map_, before, &runner), fresh(spec_, map_, after, &runner);
    const Array rows = Points(25, spec_);
    Array gradient(spec_.dtype, parameters_.shape()), expected(gradient);
    for (const PackFor what : {PackFor::kDensities, PackFor::kAll}) {
      plan.Update(before);
      plan.Update(after, what);
      const double loss = fresh.Likelihood(rows.as<T>(), expected.as<T>());
      if (!std::isfinite(loss)) return;  // NaN equals nothing.
      EXPECT_EQ(plan.Likelihood(rows.as<T>(), gradient.as<T>()), loss);
      EXPECT_EQ(gradient, expected);
    }
    if (spec_.context_dim > 0) return;
    const auto slope = [](size_t, std::span<const T> x, std::span<T> out) { SlopeOf(x, out); };
    const Array draws = Draws(25);
    const double loss = fresh.ReverseKl(draws.as<T>(), Score::kKeep, slope, expected.as<T>());
    if (!std::isfinite(loss)) return;
    EXPECT_EQ(plan.ReverseKl(draws.as<T>(), Score::kKeep, slope, gradient.as<T>()), loss);
    EXPECT_EQ(gradient, expected);
  };
  if (spec_.dtype == DType::kFloat32) {
    check.template operator()<float>();
  } else {
    check.template operator()<double>();
  }
}

class GradientTargets : public testing::TestWithParam<SimdTarget> {};

INSTANTIATE_TEST_SUITE_P(All, GradientTargets, testing::ValuesIn(SimdTargets()),
                         [](const auto& run) { return run.param.name; });

template <typename T>
Array LikelihoodGradient(const Case& one, const SimdTarget& target) {
  UseSimdTarget(target);
  const Array parameters = ParametersOf(one.spec), x = Points(61, one.spec);
  InlineRunner runner;
  TrainingPlan<T> plan(one.spec, one.map, parameters.as<T>(), &runner);
  Array gradient(one.spec.dtype, parameters.shape());
  plan.Likelihood(x.as<T>(), gradient.as<T>());
  return gradient;
}

TEST_P(GradientTargets, AgreeWithTheBest) {
  const SimdTarget best = SimdTargets().front();
  for (const Case& one : Table()) {
    if (one.spec.hidden > 32) continue;
    if (one.spec.dtype == DType::kFloat64) {
      EXPECT_LT(LargestGap(LikelihoodGradient<double>(one, GetParam()),
                           LikelihoodGradient<double>(one, best)),
                1e-11)
          << one.name;
    } else {
      EXPECT_LT(LargestGap(LikelihoodGradient<float>(one, GetParam()),
                           LikelihoodGradient<float>(one, best)),
                2e-3)
          << one.name;
    }
  }
  UseSimdTarget(best);
}

class GradientParity : public testing::TestWithParam<flows::ParityCase> {};

INSTANTIATE_TEST_SUITE_P(Seed, GradientParity, testing::ValuesIn(flows::kParityCases),
                         [](const auto& run) { return run.param.file; });

template <typename T>
void ExpectSeedsGradient(const flows::FlowState& state, const SafetensorsFile& file, double gap) {
  InlineRunner runner;
  TrainingPlan<T> plan(state.spec, state.standardization, state.parameters.as<T>(), &runner);
  Array gradient(state.spec.dtype, state.parameters.shape());
  plan.Likelihood(file.tensors.at("x").as<T>(), gradient.as<T>());
  EXPECT_LT(LargestGap(gradient, flows::Flatten(file, state.spec, "grad/")), gap);
}

TEST_P(GradientParity, OfTheLikelihood) {
  const flows::FlowState state = flows::ParityState(GetParam());
  const SafetensorsFile file = flows::ParityExpected(GetParam());
  if (GetParam().dtype == DType::kFloat32) {
    ExpectSeedsGradient<float>(state, file, 1e-4);
  } else {
    ExpectSeedsGradient<double>(state, file, 1e-10);
  }
}

}  // namespace
}  // namespace sluiced::engine
