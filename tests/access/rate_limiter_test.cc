#include "server/access/rate_limiter.h"

#include <string>

#include "gtest/gtest.h"

namespace sluiced::access {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A limiter whose time stands still until it is moved.
class RateLimiterTest : public ::testing::Test {
 protected:
  RateLimiter Make(const Rate& rate) {
    return RateLimiter(rate, [this] { return now_; });
  }
  int TakeAll(RateLimiter& limiter, const std::string& caller) {
    int taken = 0;
    while (taken < 1000 && limiter.Take(caller) == absl::ZeroDuration()) ++taken;
    return taken;
  }

  RateLimiter::Clock::time_point now_{hours(1000)};
};

TEST_F(RateLimiterTest, ABurstThenTheRate) {
  RateLimiter limiter = Make({.per_second = 10, .burst = 5});
  EXPECT_EQ(TakeAll(limiter, "alice"), 5);
  EXPECT_EQ(limiter.Take("alice"), absl::Milliseconds(100));
  now_ += milliseconds(99);
  EXPECT_EQ(limiter.Take("alice"), absl::Milliseconds(1));
  now_ += milliseconds(1);
  EXPECT_EQ(TakeAll(limiter, "alice"), 1);
  now_ += milliseconds(250);
  EXPECT_EQ(TakeAll(limiter, "alice"), 2);
  now_ += hours(1);
  EXPECT_EQ(TakeAll(limiter, "alice"), 5);
}

TEST_F(RateLimiterTest, WhatIsRefusedCostsNothing) {
  RateLimiter limiter = Make({.per_second = 1, .burst = 1});
  EXPECT_EQ(TakeAll(limiter, "alice"), 1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(limiter.Take("alice"), absl::Seconds(1));
  now_ += seconds(1);
  EXPECT_EQ(TakeAll(limiter, "alice"), 1);
}

TEST_F(RateLimiterTest, CallersDoNotPayForEachOther) {
  RateLimiter limiter = Make({.per_second = 1, .burst = 2});
  EXPECT_EQ(TakeAll(limiter, "alice"), 2);
  EXPECT_EQ(TakeAll(limiter, "bob"), 2);
}

TEST_F(RateLimiterTest, RestedCallersAreForgotten) {
  RateLimiter limiter = Make({.per_second = 1, .burst = 1});
  for (int i = 0; i < 100000; ++i) {
    now_ += milliseconds(10);
    limiter.Take(std::to_string(i));
  }
  EXPECT_LT(limiter.callers(), 2000u);
  EXPECT_GE(limiter.callers(), 100u);  // Of the last second.
}

TEST_F(RateLimiterTest, ExtremesStayInTheRange) {
  RateLimiter slow = Make({.per_second = 1e-3, .burst = 1e6});
  EXPECT_EQ(TakeAll(slow, "alice"), 1000);
  RateLimiter fast = Make({.per_second = 1e6, .burst = 1});
  EXPECT_EQ(TakeAll(fast, "alice"), 1);
  now_ += std::chrono::microseconds(1);
  EXPECT_EQ(TakeAll(fast, "alice"), 1);
}

TEST(ParseRate, TakesRateAndBurst) {
  EXPECT_EQ(ParseRate("10")->per_second, 10);
  EXPECT_EQ(ParseRate("10")->burst, 10);
  EXPECT_EQ(ParseRate("0.5")->burst, 1);
  EXPECT_EQ(ParseRate("2.5")->burst, 3);
  EXPECT_EQ(ParseRate("0.5:20")->per_second, 0.5);
  EXPECT_EQ(ParseRate("0.5:20")->burst, 20);
}

TEST(ParseRate, RefusesWhatIsNone) {
  for (const char* text : {"", "0", "-1", "nan", "inf", "1e9", "x", "10:", ":10", "10:0", "10:x",
                           "10:1:1", "10:nan", "10/s"}) {
    EXPECT_FALSE(ParseRate(text).ok()) << text;
  }
}

}  // namespace
}  // namespace sluiced::access
