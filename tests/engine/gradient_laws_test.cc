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

class GradientTargets : public testing::TestWithParam<SimdTarget> {};

INSTANTIATE_TEST_SUITE_P(All, GradientTargets, testing::ValuesIn(SimdTargets()),
                         [](const auto& run) { return run.param.name; });

TEST_P(GradientTargets, AgreeWithTheBest) {
  for (const Case& one : Table()) {
    if (one.spec.dtype != DType::kFloat64 || one.spec.hidden > 32) continue;
    const flows::FlowSpec& spec = one.spec;
    const Array parameters = ParametersOf(spec), x = Points(61, spec);
    std::vector<Array> gradients;
    for (const SimdTarget& target : {SimdTargets().front(), GetParam()}) {
      UseSimdTarget(target);
      InlineRunner runner;
      TrainingPlan<double> plan(spec, one.map, parameters.as<double>(), &runner);
      gradients.emplace_back(spec.dtype, parameters.shape());
      plan.Likelihood(x.as<double>(), gradients.back().as<double>());
    }
    EXPECT_LT(LargestGap(gradients[1], gradients[0]), 1e-11) << one.name;
  }
  UseSimdTarget(SimdTargets().front());
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
