// Rows of a flow's own distribution, and of others.
#include "server/evaluation/rows_fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "server/evaluation/flow_rows.h"
#include "server/evaluation/self_test.h"
#include "tests/evaluation/evaluation_support.h"

namespace sluiced::evaluation {
namespace {

RowsFit FitOf(const flows::Flow& flow, const Array& rows, int64_t draws, uint64_t seed = 3) {
  return FitOfRows(flow, rows, draws, seed, Forever).value();
}

TEST(RowsFit, RowsOfTheFlowItselfFit) {
  const auto flow = NormalFlow({1, -2}, {1, 3});
  const Array rows = flow->Sample(3000, /*seed=*/77, 0).value().x;
  const RowsFit fit = FitOf(*flow, rows, 4000);
  // Minus the entropy of the flow, log(3) + 1 + log(2 pi).
  const double entropy = std::log(3) + 1 + std::log(2 * std::numbers::pi);
  EXPECT_NEAR(fit.log_likelihood.mean, -entropy, 4 * fit.log_likelihood.error);
  EXPECT_NEAR(fit.log_likelihood.error, 1 / std::sqrt(3000), 0.002);
  EXPECT_NEAR(fit.two_sample.accuracy.mean, 0.5, 0.035);
  ASSERT_EQ(fit.columns.size(), 2U);
  for (const Uniformity& column : fit.columns) EXPECT_GT(column.ks.p_value, 1e-3);
  for (const Coverage::Level& level : fit.coverage.levels) {
    EXPECT_NEAR(level.covered.mean, level.level, 5 * level.covered.error);
  }
  EXPECT_EQ(fit.rows, 3000);
  EXPECT_EQ(fit.draws, 4000);
  EXPECT_EQ(fit.draws_not_finite, 0);
  EXPECT_EQ(fit.without_density, 0);
  EXPECT_TRUE(fit.calibration.empty());
}

TEST(WrapCircles, TurnsAnglesIntoTheirRangeAndNothingElse) {
  flows::FlowSpec spec;
  spec.dim = 2;
  spec.context_dim = 1;
  spec.columns = {{.index = 1, .support = flows::Support::kPeriodic, .low = 1, .high = 3}};
  Array rows = Array::FromDoubles({3, 3}, std::vector<double>{7, 0.5, 9, 7, 3.25, 9, 7, 2, 9});
  WrapCircles(spec, &rows);
  EXPECT_EQ(rows, Array::FromDoubles({3, 3}, std::vector<double>{7, 2.5, 9, 7, 1.25, 9, 7, 2, 9}));
}

TEST(KeepByWeight, KeepsInProportionAndNoneTwice) {
  std::vector<double> weights(30'000);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = 1e300 * static_cast<double>(i % 3);
  const std::vector<int64_t> kept = KeepByWeight(weights, 1);
  std::array<int, 3> counts{};
  for (const int64_t row : kept) ++counts[static_cast<size_t>(row % 3)];
  EXPECT_EQ(counts[0], 0);
  EXPECT_NEAR(counts[1], 5000, 250);
  EXPECT_EQ(counts[2], 10'000);
  EXPECT_TRUE(std::ranges::is_sorted(kept));
}

TEST(RowsFit, ShiftedRowsAreFound) {
  const auto flow = NormalFlow({1, -2}, {1, 3});
  Array rows = flow->Sample(2000, 77, 0).value().x;
  for (size_t i = 0; i < rows.as<double>().size(); i += 2) rows.as<double>()[i] += 1;
  const RowsFit fit = FitOf(*flow, rows, 2000);
  EXPECT_GT(fit.two_sample.accuracy.mean, 0.64);  // Phi(1/2) = 0.69 at best.
  EXPECT_LT(fit.columns[0].ks.p_value, 1e-9);
  EXPECT_NEAR(fit.columns[0].ks.distance, 0.383, 0.05);
  EXPECT_GT(fit.columns[1].ks.p_value, 1e-3);
  EXPECT_GT(fit.columns[0].counts.back(), 3 * fit.columns[0].counts.front());
}

TEST(RowsFit, AConditionalFlowIsCalibratedOnItsOwnDraws) {
  const auto flow = NormalFlow({0, 0}, {1, 2}, /*context_dim=*/1);
  const Array context = Normals(800, 1, 5);
  const Array rows = Beside(flow->Sample(800, 77, 0, context).value().x, context);
  const RowsFit fit = FitOf(*flow, rows, 60);
  EXPECT_EQ(fit.draws, 800 * 60);
  ASSERT_EQ(fit.calibration.size(), 2U);
  for (const Uniformity& column : fit.calibration) EXPECT_GT(column.ks.p_value, 1e-3);
  for (const Coverage::Level& level : fit.coverage.levels) {
    EXPECT_NEAR(level.covered.mean, level.level, 5 * level.covered.error);
  }
  EXPECT_NEAR(fit.two_sample.accuracy.mean, 0.5, 0.06);
}

// A flow that knows nothing of its context fits the marginals of x = c + noise, and the
// pairs give it away.
TEST(RowsFit, AFlowThatIgnoresItsContextIsGivenAway) {
  const auto flow = NormalFlow({0}, {std::sqrt(1.25)}, 1);
  const Array context = Normals(1000, 1, 5), noise = Normals(1000, 1, 6, 0.5);
  Array x = context;
  for (size_t i = 0; i < 1000; ++i) x.as<double>()[i] += noise.as<double>()[i];
  const RowsFit fit = FitOf(*flow, Beside(x, context), 50);
  EXPECT_GT(fit.columns[0].ks.p_value, 1e-3);
  EXPECT_GT(fit.two_sample.accuracy.mean, 0.7);
}

TEST(RowsFit, ATooSureFlowCoversTooLittle) {
  const auto flow = NormalFlow({0}, {0.5}, 1);
  const RowsFit fit = FitOf(*flow, Normals(500, 2, 5), 100);
  EXPECT_NEAR(fit.coverage.levels[3].covered.mean, 0.67, 0.06);  // P(|N| < 1.96 / 2)
  EXPECT_LT(fit.calibration[0].ks.p_value, 1e-9);
  // A cup: at both ends too many.
  const std::vector<int64_t>& counts = fit.calibration[0].counts;
  EXPECT_GT(counts.front() + counts.back(), 4 * (counts[9] + counts[10]));
}

TEST(RowsFit, RowsWithoutDensityAreCounted) {
  const auto flow = NormalFlow({0}, {1});
  Array rows = Normals(100, 1, 5);
  rows.as<double>()[3] = 1e200;
  const RowsFit fit = FitOf(*flow, rows, 100);
  EXPECT_EQ(fit.without_density, 1);
  EXPECT_TRUE(std::isfinite(fit.log_likelihood.mean));
}

TEST(RowsFit, OneRowAndOneDrawMakeNoNonsense) {
  const auto flow = NormalFlow({0}, {1});
  const RowsFit fit = FitOf(*flow, Normals(1, 1, 5), 1);
  EXPECT_EQ(fit.two_sample.folds, 0);
  EXPECT_EQ(fit.log_likelihood.error, 0);
}

// Draws that overflow, some of them to no number at all.
TEST(RowsFit, AFlowThatOverflowsIsMeasuredAllTheSame) {
  flows::FlowSpec spec;
  spec.dim = 2;
  spec.layers = 400;
  spec.hidden = 8;
  spec.scale_bound = 0;
  spec.initialization = flows::Initialization::kUniform;
  const auto flow = flows::Flow::Create({spec, flows::InitialParameters(spec, 3), {}}).value();
  const RowsFit fit = FitOf(*flow, Normals(500, 2, 5).To(DType::kFloat32), 2000);
  EXPECT_EQ(fit.columns.size(), 2U);
  EXPECT_TRUE(std::isfinite(fit.columns[0].ks.distance));
  EXPECT_GT(fit.draws_not_finite, 0);
  EXPECT_TRUE(TestFlow(*flow, 2000, 1, Forever).ok());
}

TEST(RowsFit, IsTheSameAgain) {
  const auto flow = NormalFlow({0, 1}, {1, 1});
  const RowsFit a = FitOf(*flow, Normals(300, 2, 5), 300),
                b = FitOf(*flow, Normals(300, 2, 5), 300);
  EXPECT_EQ(a.two_sample.accuracy.mean, b.two_sample.accuracy.mean);
  EXPECT_EQ(a.coverage.regions.counts, b.coverage.regions.counts);
}

TEST(RowsFit, EndsWhenNobodyWaits) {
  int asked = 0;
  const auto left = FitOfRows(*NormalFlow({0}, {1}), Normals(5000, 1, 5), 5000, 1, [&] {
    return ++asked > 3 ? absl::DeadlineExceededError("late") : absl::OkStatus();
  });
  EXPECT_EQ(left.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(asked, 4);
}

TEST(ChooseRows, AreTheSameAgainAndAllWhereFew) {
  EXPECT_EQ(ChooseRows(5, 9, 1), (std::vector<int64_t>{0, 1, 2, 3, 4}));
  const std::vector<int64_t> some = ChooseRows(1000, 10, 1);
  EXPECT_EQ(some.size(), 10U);
  EXPECT_TRUE(std::is_sorted(some.begin(), some.end()));
  EXPECT_EQ(some, ChooseRows(1000, 10, 1));
  EXPECT_NE(some, ChooseRows(1000, 10, 2));
}

}  // namespace
}  // namespace sluiced::evaluation
