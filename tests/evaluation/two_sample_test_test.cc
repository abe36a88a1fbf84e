// A classifier on samples that it can and cannot tell apart.
#include "server/evaluation/two_sample_test.h"

#include <gtest/gtest.h>

#include <limits>

#include "server/common/philox.h"

namespace sluiced::evaluation {
namespace {

Array Rows(int64_t n, int64_t columns, uint64_t seed) {
  Array rows(DType::kFloat32, {n, columns});
  NormalRows<float>(seed, Stream::kGenerate, 0, 0, columns, rows.as<float>());
  return rows;
}

TwoSampleTest Told(const Array& a, const Array& b, uint64_t seed = 1) {
  return TellApart(a, b, seed, [] { return absl::OkStatus(); }).value();
}

TEST(TellApart, OneDistributionIsChance) {
  for (int64_t columns : {1, 2, 8}) {
    const TwoSampleTest test = Told(Rows(2000, columns, 1), Rows(2000, columns, 2));
    EXPECT_NEAR(test.accuracy.mean, 0.5, 0.04) << columns;
    EXPECT_NEAR(test.accuracy.error, 0.0079, 0.0005);
    EXPECT_GT(test.p_value, 1e-3);
    EXPECT_EQ(test.rows_each, 2000);
    EXPECT_EQ(test.folds, 5);
  }
}

// The best accuracy that there is for a shift of two deviations: Phi(1) = 0.841.
TEST(TellApart, AShiftIsSeenAsWellAsCanBe) {
  Array shifted = Rows(2000, 2, 2);
  for (size_t i = 0; i < shifted.as<float>().size(); i += 2) shifted.as<float>()[i] += 2;
  const TwoSampleTest test = Told(Rows(2000, 2, 1), shifted);
  EXPECT_NEAR(test.accuracy.mean, 0.841, 0.03);
  EXPECT_LT(test.p_value, 1e-12);
}

// Same means and deviations of each column, other dependence: no linear classifier sees it.
TEST(TellApart, DependenceIsSeen) {
  Array dependent = Rows(3000, 2, 2);
  const std::span<float> x = dependent.as<float>();
  for (size_t i = 0; i < x.size(); i += 2) {
    if ((x[i] > 0) != (x[i + 1] > 0)) x[i + 1] = -x[i + 1];
  }
  EXPECT_GT(Told(Rows(3000, 2, 1), dependent).accuracy.mean, 0.68);
}

TEST(TellApart, IsTheSameAgainAndTakesTheSmallerSample) {
  const Array a = Rows(500, 2, 1), b = Rows(300, 2, 2);
  EXPECT_EQ(Told(a, b).accuracy.mean, Told(a, b).accuracy.mean);
  EXPECT_EQ(Told(a, b).rows_each, 300);
}

TEST(TellApart, DropsRowsThatAreNotFiniteAndNeedsSome) {
  Array broken = Rows(100, 2, 2);
  for (size_t i = 0; i < 60; i += 2) broken.as<float>()[i] = std::numeric_limits<float>::infinity();
  broken.as<float>()[100] = std::numeric_limits<float>::max();
  EXPECT_EQ(Told(Rows(100, 2, 1), broken).rows_each, 70);
  EXPECT_EQ(Told(Rows(5, 2, 1), Rows(5, 2, 2)).folds, 0);
}

TEST(TellApart, EndsWhenNobodyWaits) {
  const auto left =
      TellApart(Rows(500, 2, 1), Rows(500, 2, 2), 1, [] { return absl::CancelledError("gone"); });
  EXPECT_EQ(left.status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace sluiced::evaluation
