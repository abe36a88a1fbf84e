#include "client/cli/term/row_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace sluice::cli {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const RowProgress::Clock::time_point kStart{std::chrono::hours(1)};

TEST(RowProgress, SaysHowFarItIsAndGoes) {
  std::ostringstream out;
  {
    RowProgress progress(4'000'000, {true, false, 80}, kStart, out);
    progress.Show(1'000'000, kStart + milliseconds(1000));
    EXPECT_THAT(out.str(), HasSubstr("25 %  1.00 M rows/s  3 s left  1,000,000 of 4,000,000 rows"));
    const std::string before = out.str();
    progress.Show(1'000'001, kStart + milliseconds(1050));
    EXPECT_EQ(out.str(), before) << "at most ten times a second";
  }
  EXPECT_TRUE(out.str().ends_with("\r\x1b[K"));
}

TEST(RowProgress, IsSilentWhereNothingMovesOrAllIsQuick) {
  for (const bool interactive : {false, true}) {
    std::ostringstream out;
    {
      RowProgress progress(100, {interactive, false, 80}, kStart, out);
      progress.Show(50, kStart + milliseconds(interactive ? 400 : 5000));
    }
    EXPECT_THAT(out.str(), IsEmpty());
  }
}

TEST(RowProgress, FitsANarrowTerminal) {
  std::ostringstream out;
  RowProgress progress(100, {true, false, 10}, kStart, out);
  progress.Show(50, kStart + milliseconds(1000));
  EXPECT_EQ(out.str(), "\r50 %  50 \x1b[K");
}

}  // namespace
}  // namespace sluice::cli
