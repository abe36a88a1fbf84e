#include "client/src/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice {
namespace {

TEST(Backoff, DoublesToItsLimitWithJitterAndStartsAnew) {
  for (uint32_t seed = 1; seed < 100; ++seed) {
    Backoff backoff(seed);
    std::chrono::milliseconds span = Backoff::kFirst;
    for (int i = 0; i < 12; ++i) {
      const std::chrono::milliseconds wait = backoff.Next();
      EXPECT_GE(wait, span / 2);
      EXPECT_LE(wait, span);
      span = std::min(span * 2, Backoff::kLast);
    }
    backoff.Reset();
    EXPECT_LE(backoff.Next(), Backoff::kFirst);
  }
  EXPECT_NE(Backoff(1).Next(), Backoff(2000000).Next());
}

}  // namespace
}  // namespace sluice
