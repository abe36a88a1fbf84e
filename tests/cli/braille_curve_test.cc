#include "client/cli/term/braille_curve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "client/cli/term/format.h"

namespace sluice::cli {
namespace {

using ::testing::ElementsAre;

TEST(BrailleCurve, FallsFromUpperLeftToLowerRight) {
  EXPECT_THAT(BrailleCurve({4, 3, 2, 1}, 2, 1), ElementsAre("⠑⢄"));
  EXPECT_THAT(BrailleCurve({1, 1, 1, 1}, 2, 1), ElementsAre("⣀⣀"));
}

TEST(BrailleCurve, KeepsItsSizeWhateverItIsGiven) {
  const std::vector<std::vector<double>> cases = {
      {}, {NAN, INFINITY}, {1}, {1, NAN, 1e300, -1e300}, std::vector<double>(10'000, 0.5)};
  for (const std::vector<double>& values : cases) {
    const std::vector<std::string> lines = BrailleCurve(values, 30, 4);
    ASSERT_EQ(lines.size(), 4u);
    for (const std::string& line : lines) EXPECT_EQ(DisplayWidth(line), 30u);
  }
}

TEST(BrailleCurve, OneHugeLossDoesNotFlattenTheRest) {
  std::vector<double> losses(200);
  for (size_t i = 0; i < losses.size(); ++i) losses[i] = 4 - 0.005 * static_cast<double>(i);
  losses[0] = 1e9;
  const std::vector<std::string> lines = BrailleCurve(losses, 100, 4);
  for (const std::string& line : lines) {
    size_t inked = 0;
    for (size_t at = 0; at < line.size(); at += 3) inked += line.substr(at, 3) != "⠀";
    EXPECT_GT(inked, 10u);
  }
}

}  // namespace
}  // namespace sluice::cli
