#include "server/serving/budget.h"

#include "gtest/gtest.h"
#include "server/common/errors.h"

namespace sluiced::serving {
namespace {

TEST(Budget, SharesHoldWhatTheySayAndGiveItBack) {
  Budget budget(100, "rows", "ROWS_IN_FLIGHT");
  Budget::Share first(&budget);
  EXPECT_TRUE(first.Set(60).ok());
  {
    Budget::Share second(&budget);
    EXPECT_TRUE(second.Set(40).ok());
    const absl::Status refused = second.Set(41);
    EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
    EXPECT_EQ(refused.message(), "too many rows wait to be worked on");
    EXPECT_TRUE(RetryDelayOf(refused).has_value());
    EXPECT_EQ(second.amount(), 40);
    EXPECT_EQ(budget.held(), 100);
    EXPECT_EQ(ReasonOf(refused)->code, "ROWS_IN_FLIGHT");
    EXPECT_TRUE(first.Set(10).ok());
    EXPECT_TRUE(second.Set(90).ok());
  }
  EXPECT_TRUE(first.Set(100).ok());
  EXPECT_FALSE(first.Set(101).ok());
  EXPECT_TRUE(first.Set(0).ok());
}

}  // namespace
}  // namespace sluiced::serving
