// Normal flows against normal targets: all in closed form.
#include "server/evaluation/target_fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/evaluation/evaluation_support.h"

namespace sluiced::evaluation {
namespace {

const targets::Target& Find(const char* name) { return **targets::FindTarget(name); }

// The target `gaussian` has means (1, -0.5), deviations (1, 0.5), correlation 0.8. For
// q of its means and deviations, without the correlation:
//   KL = (tr(P S_q) - 2 + log(det S_p / det S_q)) / 2 = 1 / (1 - r^2) - 1 + log(1 - r^2) / 2.
TEST(TargetFit, KlOfTwoGaussiansIsKnown) {
  const auto flow = NormalFlow({1, -0.5}, {1, 0.5});
  const TargetFit fit = FitOfTarget(*flow, Find("gaussian"), 20'000, 1, Forever).value();
  const double rest = 1 - 0.8 * 0.8;
  ASSERT_TRUE(fit.kl.has_value());
  EXPECT_NEAR(*fit.kl, 1 / rest - 1 + std::log(rest) / 2, 4 * *fit.kl_error);
  EXPECT_LT(*fit.kl_error, 0.03);
  EXPECT_EQ(fit.log_z_known, 0);
  EXPECT_NEAR(*fit.weights.log_z, 0, 5 * *fit.weights.log_z_error);
}

TEST(TargetFit, AWiderFlowHasGoodWeights) {
  const auto flow = NormalFlow({1, -0.5}, {1.5, 0.75});
  const WeightSummary weights =
      FitOfTarget(*flow, Find("gaussian"), 20'000, 1, Forever).value().weights;
  EXPECT_NEAR(*weights.log_z, 0, 4 * *weights.log_z_error);
  EXPECT_GT(weights.ess, 3000);
  EXPECT_LT(*weights.pareto_k, 0.5);
  EXPECT_LT(weights.largest_share, 0.01);
  EXPECT_EQ(weights.outside, 0);
  EXPECT_TRUE(std::is_sorted(weights.tail.rbegin(), weights.tail.rend()));
}

// Weights exp(a z^2), z normal, a = (1 - 1/4)/2 where q is half as wide: tails of shape
// 2a = 3/4 in each column.
TEST(TargetFit, ANarrowFlowIsFoundOut) {
  const auto flow = NormalFlow({1, -0.5}, {0.25, 0.125});
  const WeightSummary weights =
      FitOfTarget(*flow, Find("gaussian"), 20'000, 1, Forever).value().weights;
  EXPECT_GT(*weights.pareto_k, 0.7);
}

TEST(TargetFit, OfAnUnknownLogZThereIsNoKl) {
  for (const targets::Target* target : targets::AllTargets()) {
    const std::vector<double> zeros(static_cast<size_t>(target->dim()), 0.0);
    const std::vector<double> ones(static_cast<size_t>(target->dim()), 2.0);
    const auto fit = FitOfTarget(*NormalFlow(zeros, ones), *target, 500, 1, Forever);
    ASSERT_TRUE(fit.ok()) << target->name();
    EXPECT_EQ(fit->kl.has_value(), target->log_z().has_value()) << target->name();
  }
}

}  // namespace
}  // namespace sluiced::evaluation
