#include "server/training/row_preparation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "tests/training/training_support.h"

namespace sluiced::training {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pointwise;

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
    Array data = NormalTable(50, 3);
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

}  // namespace
}  // namespace sluiced::training
