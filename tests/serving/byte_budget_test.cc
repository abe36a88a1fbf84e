#include "server/serving/byte_budget.h"

#include "gtest/gtest.h"
#include "server/common/errors.h"

namespace sluiced::serving {
namespace {

TEST(ByteBudget, SharesHoldWhatTheySayAndGiveItBack) {
  ByteBudget budget(100);
  ByteBudget::Share first(&budget);
  EXPECT_TRUE(first.Set(60).ok());
  {
    ByteBudget::Share second(&budget);
    EXPECT_TRUE(second.Set(40).ok());
    const absl::Status refused = second.Set(41);
    EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
    EXPECT_TRUE(RetryDelayOf(refused).has_value());
    EXPECT_EQ(second.bytes(), 40);
    EXPECT_TRUE(first.Set(10).ok());
    EXPECT_TRUE(second.Set(90).ok());
  }
  EXPECT_TRUE(first.Set(100).ok());
  EXPECT_FALSE(first.Set(101).ok());
  EXPECT_TRUE(first.Set(0).ok());
}

}  // namespace
}  // namespace sluiced::serving
