// Chains over draws that are made up.
#include "server/evaluation/independence_chains.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sluiced::evaluation {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Chains, OfEqualWeightsTakeEveryProposal) {
  const auto chains =
      RunChains(std::vector<double>(60, 1.0), {.rows = 40, .chains = 4, .burn_in = 5},
                /*seed=*/1);
  ASSERT_TRUE(chains.ok());
  EXPECT_EQ(chains->acceptance_rate, 1);
  EXPECT_EQ(chains->longest_stay, 1);
  ASSERT_EQ(chains->rows.size(), 40U);
  EXPECT_EQ(chains->rows[0], 5);    // Chain 0 after its burn-in.
  EXPECT_EQ(chains->rows[10], 20);  // Chain 1.
}

TEST(Chains, RowsThatAreNoMultipleOfTheChains) {
  EXPECT_EQ(KeptSteps(10, 3), 4);
  const auto chains = RunChains(std::vector<double>(12, 0.0), {.rows = 10, .chains = 3}, 1);
  ASSERT_TRUE(chains.ok());
  EXPECT_EQ(chains->rows.size(), 10U);
}

TEST(Chains, StayOnAWeightThatNoneReaches) {
  std::vector<double> log_weights(50, 0.0);
  log_weights[3] = 1000;
  const auto chains = RunChains(log_weights, {.rows = 40, .chains = 1, .burn_in = 10}, 1);
  ASSERT_TRUE(chains.ok());
  EXPECT_EQ(chains->acceptance_rate, 0);
  EXPECT_EQ(chains->longest_stay, 40);
  for (int64_t row : chains->rows) EXPECT_EQ(row, 3);
}

TEST(Chains, LeaveWeightZeroAtOnceAndNeverGoBack) {
  std::vector<double> log_weights(20, -kInfinity);
  log_weights[2] = -5;
  const auto chains = RunChains(log_weights, {.rows = 15, .chains = 1, .burn_in = 5}, 1);
  ASSERT_TRUE(chains.ok());
  for (int64_t row : chains->rows) EXPECT_EQ(row, 2);
  const auto lost = RunChains(std::vector<double>(20, -kInfinity), {.rows = 15, .burn_in = 5}, 1);
  EXPECT_EQ(lost.status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace sluiced::evaluation
