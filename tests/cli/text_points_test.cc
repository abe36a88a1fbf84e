#include "client/cli/plot/text_points.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace sluice::plot {
namespace {

TEST(TextPoints, SameArgumentsGiveTheSamePoints) {
  const Result<Matrix> first = TextPoints("WOW", 1000, 0);
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  EXPECT_EQ(first->values, TextPoints("WOW", 1000, 0)->values);
  EXPECT_NE(first->values, TextPoints("WOW", 1000, 1)->values);
  // More rows of a seed begin with the fewer.
  const Result<Matrix> more = TextPoints("WOW", 2000, 0);
  EXPECT_TRUE(std::equal(first->values.begin(), first->values.end(), more->values.begin()));
}

TEST(TextPoints, FillTheBoxOfTheSeedsLetters) {
  const Result<Matrix> points = TextPoints("WOW", 20'000, 3);
  ASSERT_TRUE(points.ok());
  double x = 0, y = 0;
  for (int64_t i = 0; i < points->rows; ++i) {
    x = std::max(x, std::abs((*points)(i, 0)));
    y = std::max(y, std::abs((*points)(i, 1)));
  }
  EXPECT_LE(x, 4);
  EXPECT_GT(x, 3.8);
  EXPECT_LE(y, 2);
  EXPECT_GT(y, 1.95);
}

TEST(TextPoints, LieOnInkOnly) {
  // An O has a hole around its middle, whatever the font.
  const Result<Matrix> points = TextPoints("O", 5000, 0);
  ASSERT_TRUE(points.ok());
  for (int64_t i = 0; i < points->rows; ++i) {
    EXPECT_GT(std::hypot((*points)(i, 0), (*points)(i, 1)), 0.3);
  }
}

TEST(TextPoints, RefuseWhatCannotBeDrawn) {
  EXPECT_FALSE(TextPoints("", 10, 0).ok());
  EXPECT_FALSE(TextPoints("   ", 10, 0).ok());
  EXPECT_FALSE(TextPoints("\xff\xfe", 10, 0).ok());
  EXPECT_FALSE(TextPoints(std::string(10'000, 'W'), 10, 0).ok());
  EXPECT_FALSE(TextPoints("WOW", 0, 0).ok());
  EXPECT_FALSE(TextPoints("WOW", -5, 0).ok());
  EXPECT_TRUE(TextPoints(std::string(64, 'W'), 10, 0).ok());
  EXPECT_TRUE(TextPoints("Grüße", 10, 0).ok());
}

}  // namespace
}  // namespace sluice::plot
