#include "client/cli/term/format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sluice::cli {
namespace {

TEST(Format, ReadsAsAPersonWouldWrite) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1234567), "1,234,567");
  EXPECT_EQ(FormatCount(-1234), "-1,234");
  EXPECT_EQ(FormatCount(-123), "-123");
  EXPECT_EQ(FormatDuration(0.2), "1 s");
  EXPECT_EQ(FormatDuration(59.5), "1 min 00 s");
  EXPECT_EQ(FormatDuration(250), "4 min 10 s");
  EXPECT_EQ(FormatDuration(7500), "2 h 05 min");
  EXPECT_EQ(FormatDuration(NAN), "?");
  EXPECT_EQ(FormatDuration(1e300), "?");
  EXPECT_EQ(FormatRate(1234567), "1.23 M");
  EXPECT_EQ(FormatRate(85'000), "85 k");
  EXPECT_EQ(FormatRate(640), "640");
  EXPECT_EQ(FormatLoss(3.14159), "3.1416");
  EXPECT_EQ(FormatLoss(1.234e7), "1.23e+07");
  EXPECT_EQ(FormatLoss(INFINITY), "inf");
  EXPECT_EQ(FormatTime(Time()), "-");
  EXPECT_EQ(IsoTime(Time(std::chrono::seconds(86400))), "1970-01-02T00:00:00Z");
}

TEST(Format, PadsByWhatIsSeenAndNotByBytes) {
  EXPECT_EQ(DisplayWidth("Grüße ±"), 7u);
  EXPECT_EQ(PadRight("ü", 3), "ü  ");
}

TEST(Format, BytesInTheUnitThatFits) {
  EXPECT_EQ(FormatBytes(12'000), "12 kB");
  EXPECT_EQ(FormatBytes(3.2e9), "3.2 GB");
  EXPECT_EQ(FormatBytes(8e18), "8 EB");
}

}  // namespace
}  // namespace sluice::cli
