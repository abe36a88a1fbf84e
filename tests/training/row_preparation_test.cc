#include "server/training/row_preparation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "server/common/philox.h"
#include "server/training/importance.h"

namespace sluiced::training {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pointwise;

Array Normals(int64_t rows, int64_t dim) {
  Array data(DType::kFloat64, {rows, dim});
  NormalRows<double>(3, Stream::kGenerate, 0, 0, dim, data.as<double>());
  return data;
}

flows::FlowSpec SpecOf(int64_t dim) {
  flows::FlowSpec spec;
  spec.dim = dim;
  return spec;
}

std::vector<int64_t> Every(int64_t rows) {
  std::vector<int64_t> all(static_cast<size_t>(rows));
  std::iota(all.begin(), all.end(), int64_t{0});
  return all;
}

TEST(SplitRows, IsAPartitionOfTheFractionAsked) {
  for (double fraction : {0.0, 0.1, 0.25, 0.9}) {
    const Split split = SplitRows(1000, fraction, 5).value();
    EXPECT_EQ(split.validation.size(), static_cast<size_t>(1000 * fraction));
    EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
    std::vector<int64_t> all = split.train;
    all.insert(all.end(), split.validation.begin(), split.validation.end());
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, Every(1000));
  }
}

TEST(SplitRows, DependsOnTheSeedAlone) {
  EXPECT_EQ(SplitRows(100, 0.3, 1)->validation, SplitRows(100, 0.3, 1)->validation);
  EXPECT_NE(SplitRows(100, 0.3, 1)->validation, SplitRows(100, 0.3, 2)->validation);
}

TEST(SplitRows, HoldsOutAtLeastOneAndLeavesTwo) {
  EXPECT_EQ(SplitRows(5, 0.1, 0)->validation.size(), 1u);
  EXPECT_TRUE(SplitRows(2, 0, 0).ok());
  for (int64_t rows : {0, 1, 2}) EXPECT_FALSE(SplitRows(rows, 0.1, 0).ok()) << rows;
  EXPECT_FALSE(SplitRows(10, 0.9, 0).ok());
}

TEST(ShuffledOrder, IsAPermutationThatChangesWithTheEpoch) {
  std::vector<int64_t> first = ShuffledOrder(500, 9, 0);
  EXPECT_EQ(first, ShuffledOrder(500, 9, 0));
  EXPECT_NE(first, ShuffledOrder(500, 9, 1));
  EXPECT_NE(first, ShuffledOrder(500, 8, 0));
  std::sort(first.begin(), first.end());
  EXPECT_EQ(first, Every(500));
}

TEST(FitStandardization, SeesOnlyTheRowsNamed) {
  Array data = Array::FromDoubles({4, 2}, std::vector<double>{1, 10, 3, 30, 1e9, -1e9, 5, 20});
  const auto fit = FitStandardization(SpecOf(2), data, {0, 1}).value();
  EXPECT_THAT(fit.shift, ElementsAre(2, 20));
  EXPECT_THAT(fit.scale, ElementsAre(1, 10));
}

TEST(FitStandardization, NamesTheConstantColumn) {
  for (double constant : {0.0, 7.0, -1e300, 0.1}) {
    Array data = Normals(50, 3);
    for (size_t row = 0; row < 50; ++row) data.as<double>()[3 * row + 1] = constant;
    const absl::Status status = FitStandardization(SpecOf(3), data, Every(50)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("column 1"));
  }
}

TEST(FitStandardization, OverflowIsAnError) {
  Array data = Array::FromDoubles({2, 1}, std::vector<double>{-1.7e308, 1.7e308});
  EXPECT_FALSE(FitStandardization(SpecOf(1), data, Every(2)).ok());
}

TEST(FitStandardization, BeginsWhereTheFlowDoes) {
  flows::FlowSpec spec = SpecOf(3);
  spec.context_dim = 1;
  spec.architecture = flows::Architecture::kNeuralSpline;
  spec.columns = {{.index = 0, .support = flows::Support::kPositive},
                  {.index = 1, .support = flows::Support::kPeriodic, .low = 0, .high = 1}};
  const Array data = Array::FromDoubles(
      {2, 4}, std::vector<double>{std::exp(1), 0.25, 10, 7, std::exp(3), 0.75, 20, 7});
  const auto fit = FitStandardization(spec, data, {0, 1}).value();
  EXPECT_THAT(fit.shift, Pointwise(DoubleNear(1e-12), {2.0, 0.0, 15.0}));
  EXPECT_THAT(fit.scale, Pointwise(DoubleNear(1e-12), {1.0, 1.0, 5.0}));
  EXPECT_THAT(fit.context_shift, ElementsAre(7));
  EXPECT_THAT(fit.context_scale, ElementsAre(1));  // Of a context that does not change.
}

TEST(WeightedOrder, HasEachRowInProportionToItsWeight) {
  const std::vector<double> weights = {0, 1, 2, 0.5, 4, 0, 0.5};
  std::vector<double> counts(weights.size());
  constexpr int kEpochs = 2000;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    const std::vector<int64_t> order = WeightedOrder(weights, 3, epoch);
    ASSERT_EQ(order.size(), weights.size());
    for (int64_t row : order) counts[static_cast<size_t>(row)] += 1.0 / kEpochs;
  }
  for (size_t row = 0; row < weights.size(); ++row) {
    EXPECT_NEAR(counts[row], weights[row] / 8 * 7, 0.04) << row;
  }
  EXPECT_EQ(counts[0], 0);
}

TEST(Estimate, ExactFitHasFullEssAndNoError) {
  const double log_z = 1.5;
  Draws draws;
  for (int i = 0; i < 100; ++i) {
    draws.log_q.push_back(-0.1 * i);
    draws.log_p.push_back(-0.1 * i + log_z);
  }
  draws.log_continued = draws.log_p;
  const Estimates estimates = Estimate(draws, log_z);
  EXPECT_NEAR(estimates.loss, -log_z, 1e-12);
  EXPECT_NEAR(*estimates.target.log_z_estimate, log_z, 1e-12);
  EXPECT_NEAR(*estimates.target.kl, 0, 1e-12);
  EXPECT_NEAR(*estimates.target.ess_fraction, 1, 1e-12);
  EXPECT_NEAR(*estimates.target.log_z_error, 0, 1e-6);
  EXPECT_NEAR(*estimates.kl_error, 0, 1e-12);
}

// A flow that is the target over 0.8 of its mass and outside for the rest: given the
// support it is exact.
TEST(Estimate, KlIsThatOfTheFlowOnTheSupport) {
  Draws draws;
  for (int i = 0; i < 10; ++i) {
    draws.log_q.push_back(0);
    draws.log_p.push_back(i < 8 ? 0 : -INFINITY);
    draws.log_continued.push_back(i < 8 ? 0 : -20);
  }
  const Estimates estimates = Estimate(draws, std::log(0.8));
  EXPECT_NEAR(*estimates.target.kl, 0, 1e-12);
  EXPECT_NEAR(*estimates.target.log_z_estimate, std::log(0.8), 1e-12);
  EXPECT_NEAR(*estimates.target.ess_fraction, 0.8, 1e-12);
  EXPECT_NEAR(estimates.loss, 4, 1e-12);
}

TEST(Estimate, LostDrawsAreNoNan) {
  const double nan = NAN, inf = INFINITY;
  const Estimates none = Estimate({{nan, inf}, {-inf, -inf}, {-inf, -inf}}, 0.0);
  EXPECT_FALSE(none.target.kl);
  EXPECT_FALSE(none.target.log_z_estimate);
  const Estimates some = Estimate({{nan, 0}, {0, 0}, {0, 0}}, 0.0);
  EXPECT_NEAR(*some.target.log_z_estimate, std::log(0.5), 1e-12);
}

TEST(Estimate, HugeWeightsDoNotOverflow) {
  const Estimates estimates = Estimate({{-900, -1000}, {900, 900}, {900, 900}}, {});
  EXPECT_NEAR(*estimates.target.log_z_estimate, 1900 - std::log(2), 1e-9);
  EXPECT_FALSE(estimates.target.kl);
}

}  // namespace
}  // namespace sluiced::training
