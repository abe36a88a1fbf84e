// Tails of a known shape.
#include "server/evaluation/pareto.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "server/common/philox.h"
#include "server/evaluation/weights.h"

namespace sluiced::evaluation {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// log of weights U^-k: a Pareto distribution of tail shape k.
std::vector<double> ParetoLogWeights(double k, size_t n, uint64_t seed) {
  PhiloxReader random(seed, Stream::kGenerate);
  std::vector<double> log_weights(n);
  for (double& w : log_weights) w = -k * std::log1p(-random.Uniform());
  return log_weights;
}

TEST(FitPareto, FindsShapeAndScaleOfQuantiles) {
  for (double k : {-0.3, 0.1, 0.5, 0.9, 1.5}) {
    std::vector<double> x;
    for (int i = 0; i < 2000; ++i) {
      const double p = (i + 0.5) / 2000;
      x.push_back(2 * std::expm1(-k * std::log1p(-p)) / k);
    }
    const Pareto fitted = FitPareto(x);
    EXPECT_NEAR(fitted.k, k, 0.05) << k;
    EXPECT_NEAR(fitted.scale, 2, 0.1) << k;
  }
}

TEST(SmoothTail, KHatIsTheShapeOfParetoWeights) {
  for (double k : {0.2, 0.5, 0.7, 1.0}) {
    double mean = 0;
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const SmoothedWeights smoothed = SmoothTail(ParetoLogWeights(k, 10'000, seed));
      ASSERT_TRUE(smoothed.k.has_value());
      mean += *smoothed.k / 20;
    }
    EXPECT_NEAR(mean, k, 0.06) << k;
  }
}

TEST(SmoothTail, ChangesTheTailAlone) {
  const std::vector<double> raw = ParetoLogWeights(0.9, 1000, 1);
  const std::vector<double> smooth = SmoothTail(raw).log_weights;
  std::vector<double> sorted = raw;
  std::sort(sorted.begin(), sorted.end());
  const double cutoff = sorted[sorted.size() - TailSize(raw.size()) - 1];
  size_t changed = 0;
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] <= cutoff) {
      EXPECT_EQ(smooth[i], raw[i]);
    } else {
      EXPECT_GE(smooth[i], cutoff - 1e-9);
      EXPECT_LE(smooth[i], sorted.back() + 1e-9);
      ++changed;
    }
  }
  EXPECT_EQ(changed, TailSize(raw.size()));
}

TEST(SmoothTail, KeepsScaleAndOrderOfHugeWeights) {
  std::vector<double> raw = ParetoLogWeights(0.5, 1000, 2);
  const SmoothedWeights small = SmoothTail(raw);
  for (double& w : raw) w += 5000;
  const SmoothedWeights huge = SmoothTail(raw);
  EXPECT_NEAR(*huge.k, *small.k, 1e-9);
  for (size_t i = 0; i < raw.size(); ++i) {
    EXPECT_NEAR(huge.log_weights[i] - 5000, small.log_weights[i], 1e-6);
  }
}

TEST(SmoothTail, OfEqualFewOrNoWeightsSaysNothing) {
  EXPECT_FALSE(SmoothTail(std::vector<double>(1000, 3.0)).k);
  EXPECT_FALSE(SmoothTail({1, 2, 3}).k);
  EXPECT_FALSE(SmoothTail(std::vector<double>(1000, -kInfinity)).k);
  EXPECT_FALSE(SmoothTail({}).k);
}

TEST(Weights, SummaryOfEqualOnes) {
  const WeightSummary summary = SummaryOf(std::vector<double>(500, 2.0));
  EXPECT_NEAR(*summary.log_z, 2, 1e-12);
  EXPECT_NEAR(summary.ess, 500, 1e-6);
  EXPECT_NEAR(summary.largest_share, 1.0 / 500, 1e-12);
  EXPECT_EQ(summary.outside, 0);
  EXPECT_FALSE(summary.pareto_k);
}

TEST(Weights, OneThatOutweighsAll) {
  std::vector<double> log_weights(500, 0.0);
  log_weights[7] = 700;
  const WeightSummary summary = SummaryOf(log_weights);
  EXPECT_NEAR(summary.ess, 1, 1e-6);
  EXPECT_NEAR(summary.largest_share, 1, 1e-12);
  EXPECT_NEAR(*summary.log_z, 700 - std::log(500), 1e-9);
}

TEST(Weights, LostDrawsWeighNothing) {
  const std::vector<double> log_weights =
      LogWeights(std::vector<double>{0, -kInfinity, 1, NAN}, std::vector<double>{0, 0, NAN, 2});
  const WeightSummary summary = SummaryOf(log_weights);
  EXPECT_EQ(summary.outside, 3);
  EXPECT_NEAR(*summary.log_z, std::log(0.25), 1e-12);
  EXPECT_EQ(SummaryOf({-kInfinity, -kInfinity}).log_z, std::nullopt);
  EXPECT_EQ(SummaryOf({}).draws, 0);
}

}  // namespace
}  // namespace sluiced::evaluation
