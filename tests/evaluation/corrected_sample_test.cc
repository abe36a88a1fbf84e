// A target's moments, recovered from a flow that is not it.
#include "server/evaluation/corrected_sample.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/evaluation/evaluation_support.h"

namespace sluiced::evaluation {
namespace {

const targets::Target& Gaussian() { return **targets::FindTarget("gaussian"); }

CorrectedSample Sampled(const CorrectionPlan& plan) {
  return SampleCorrected(*NormalFlow({0.5, 0}, {1.6, 0.9}), Gaussian(), plan, Forever).value();
}

struct Moments {
  double mean1 = 0, mean2 = 0, deviation1 = 0, deviation2 = 0, correlation = 0;
};
Moments MomentsOf(const CorrectedSample& sample) {
  const std::vector<double> x = ColumnOf(sample.x, 0), y = ColumnOf(sample.x, 1);
  const bool weighted = !sample.log_weights.empty();
  Moments m;
  double xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double w = weighted ? std::exp(sample.log_weights[i]) : 1 / static_cast<double>(x.size());
    m.mean1 += w * x[i];
    m.mean2 += w * y[i];
    xx += w * x[i] * x[i];
    yy += w * y[i] * y[i];
    xy += w * x[i] * y[i];
  }
  m.deviation1 = std::sqrt(xx - m.mean1 * m.mean1);
  m.deviation2 = std::sqrt(yy - m.mean2 * m.mean2);
  m.correlation = (xy - m.mean1 * m.mean2) / m.deviation1 / m.deviation2;
  return m;
}

void ExpectTheTarget(const CorrectedSample& sample, double tolerance) {
  const Moments m = MomentsOf(sample);
  EXPECT_NEAR(m.mean1, 1, tolerance);
  EXPECT_NEAR(m.mean2, -0.5, tolerance);
  EXPECT_NEAR(m.deviation1, 1, tolerance);
  EXPECT_NEAR(m.deviation2, 0.5, tolerance);
  EXPECT_NEAR(m.correlation, 0.8, tolerance);
}

TEST(CorrectedSample, ByImportance) {
  const CorrectedSample sample = Sampled({.method = Correction::kImportance, .rows = 40'000});
  ExpectTheTarget(sample, 0.03);
  double sum = 0;
  for (double w : sample.log_weights) sum += std::exp(w);
  EXPECT_NEAR(sum, 1, 1e-9);
  EXPECT_GT(sample.weights.ess, 5000);
  EXPECT_FALSE(sample.acceptance_rate);
}

TEST(CorrectedSample, ByResampling) {
  const CorrectedSample sample =
      Sampled({.method = Correction::kResample, .rows = 5000, .proposals = 50'000});
  ExpectTheTarget(sample, 0.04);
  EXPECT_EQ(sample.x.rows(), 5000);
  EXPECT_EQ(sample.weights.draws, 50'000);
  EXPECT_GT(sample.distinct_rows, 3500);
  EXPECT_TRUE(sample.log_weights.empty());
}

TEST(CorrectedSample, ByChains) {
  const CorrectedSample sample =
      Sampled({.method = Correction::kMcmc, .rows = 20'000, .chains = 50, .burn_in = 100});
  ExpectTheTarget(sample, 0.05);
  EXPECT_EQ(sample.weights.draws, 50 * (100 + 400));
  EXPECT_GT(*sample.acceptance_rate, 0.15);
  EXPECT_LT(*sample.acceptance_rate, 0.7);
  EXPECT_GE(sample.longest_stay, 2);
}

TEST(CorrectedSample, IsThatOfItsSeed) {
  for (Correction method : {Correction::kImportance, Correction::kResample, Correction::kMcmc}) {
    CorrectionPlan plan{
        .method = method, .rows = 300, .proposals = 900, .chains = 7, .burn_in = 10};
    const CorrectedSample a = Sampled(plan), b = Sampled(plan);
    EXPECT_EQ(a.x, b.x);
    EXPECT_EQ(a.log_weights, b.log_weights);
    plan.seed = 1;
    EXPECT_NE(a.x, Sampled(plan).x);
  }
}

// Uniform on x1 > 100: no draw of a flow around 0 lies there.
class FarAway : public targets::Target {
 public:
  FarAway() : Target("far-away", "", std::nullopt, {100, -1}, {101, 1}) {}
  void Evaluate(std::span<const double> x, std::span<double> log_density,
                std::span<double>) const override {
    for (size_t i = 0; i < log_density.size(); ++i) log_density[i] = x[2 * i] > 100 ? 0 : -INFINITY;
  }
  void EvaluateContinued(std::span<const double> x, std::span<double> log_density,
                         std::span<double> gradient) const override {
    Evaluate(x, log_density, gradient);
  }
};

TEST(CorrectedSample, OfAFlowOffTheSupportThereIsNone) {
  for (Correction method : {Correction::kImportance, Correction::kResample, Correction::kMcmc}) {
    const auto sample =
        SampleCorrected(*NormalFlow({0, 0}, {1, 1}), FarAway(),
                        {.method = method, .rows = 50, .proposals = 50, .chains = 5}, Forever);
    EXPECT_EQ(sample.status().code(), absl::StatusCode::kFailedPrecondition);
  }
}

TEST(CorrectedSample, ProposalsAreCountedWithoutOverflow) {
  EXPECT_EQ(ProposalsOf({.method = Correction::kMcmc, .rows = 10, .chains = 3, .burn_in = 2}), 18);
  EXPECT_EQ(
      ProposalsOf(
          {.method = Correction::kMcmc, .rows = INT64_MAX, .chains = 2, .burn_in = INT64_MAX}),
      INT64_MAX);
}

}  // namespace
}  // namespace sluiced::evaluation
