#include "client/cli/plot/ticks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

namespace sluice::plot {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Labels(Range range, int most) {
  std::vector<std::string> labels;
  for (const Tick& tick : NiceTicks(range, most)) labels.push_back(tick.label);
  return labels;
}

TEST(NiceTicks, AreRoundNumbersWithEvenDecimals) {
  EXPECT_THAT(Labels({0, 1}, 5), ElementsAre("0.0", "0.5", "1.0"));
  EXPECT_THAT(Labels({-4.1, 4.1}, 6), ElementsAre("\u22124", "\u22122", "0", "2", "4"));
  EXPECT_THAT(Labels({0, 600}, 7), ElementsAre("0", "100", "200", "300", "400", "500", "600"));
}

TEST(NiceTicks, AreMoreThanOneWhereThatIsAllowed) {
  EXPECT_THAT(Labels({-0.9, 0.9}, 3), ElementsAre("\u22120.5", "0.0", "0.5"));
  EXPECT_THAT(Labels({-1.95, -1.2}, 4),
              ElementsAre("\u22121.8", "\u22121.6", "\u22121.4", "\u22121.2"));
}

TEST(NiceTicks, HoldTheirLawsForAnyRange) {
  for (const double low : {-1e6, -3.7, 0.0, 1e-7, 12345.6}) {
    for (const double span : {1e-6, 0.37, 1.0, 8.4, 99999.0}) {
      for (const int most : {2, 5, 10}) {
        const Range range{low, low + span};
        const std::vector<Tick> ticks = NiceTicks(range, most);
        EXPECT_LE(ticks.size(), static_cast<size_t>(most));
        std::set<std::string> labels;
        const double slack = 1e-12 * std::abs(low);  // Rounding of the range itself.
        for (const Tick& tick : ticks) {
          EXPECT_GE(tick.value, range.low - 1e-8 * span - slack);
          EXPECT_LE(tick.value, range.high + 1e-8 * span + slack);
          labels.insert(tick.label);
        }
        if (span > 1e-5 * std::abs(low)) {
          EXPECT_EQ(labels.size(), ticks.size());
        }
      }
    }
  }
}

TEST(NiceTicks, AreNoneWhereTheRangeIsNone) {
  const double inf = std::numeric_limits<double>::infinity();
  for (const Range& range :
       {Range{1, 1}, Range{2, 1}, Range{0, inf}, Range{NAN, 1}, Range{1e15, 1e15 + 0.5}}) {
    EXPECT_THAT(NiceTicks(range, 5), IsEmpty());
  }
}

TEST(Ranges, SkipWhatIsNotFinite) {
  EXPECT_EQ(RangeOf({NAN, 2, -INFINITY, 5}).low, 2);
  EXPECT_EQ(RangeOf({NAN, 2, -INFINITY, 5}).high, 5);
  EXPECT_EQ(RangeOf({}).span(), 1);
  EXPECT_EQ(Padded({3, 3}, 0.1).span(), 1);
  EXPECT_EQ(Quantile({5, NAN, 1, 3}, 0.5), 3);
  EXPECT_EQ(Quantile({}, 0.5), 0);
}

}  // namespace
}  // namespace sluice::plot
