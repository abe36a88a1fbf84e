#include "server/observe/latency_window.h"

#include "gtest/gtest.h"

namespace sluiced::observe {
namespace {

using std::chrono::seconds;

constexpr LatencyWindow::Clock::time_point kStart{seconds(1000)};

TEST(LatencyWindow, WithoutCallsAllIsZero) {
  const LatencyWindow::Recent recent = LatencyWindow().Read(kStart);
  EXPECT_EQ(recent.calls, 0);
  EXPECT_EQ(recent.p99, 0);
}

TEST(LatencyWindow, QuantilesAreRightToATenth) {
  LatencyWindow window;
  // 1 ms, 2 ms, ... 1 s.
  for (int i = 1; i <= 1000; ++i) window.Add({.seconds = i * 1e-3, .rows = 2}, kStart);
  const LatencyWindow::Recent recent = window.Read(kStart);
  EXPECT_EQ(recent.calls, 1000);
  EXPECT_EQ(recent.rows, 2000);
  EXPECT_NEAR(recent.p50, 0.5, 0.05);
  EXPECT_NEAR(recent.p90, 0.9, 0.09);
  EXPECT_NEAR(recent.p99, 0.99, 0.099);
}

TEST(LatencyWindow, TimesOutOfItsRangeCount) {
  LatencyWindow window;
  for (const double time : {0.0, -1.0, 1e-9, 1e9}) window.Add({.seconds = time}, kStart);
  const LatencyWindow::Recent recent = window.Read(kStart);
  EXPECT_EQ(recent.calls, 4);
  EXPECT_LT(recent.p50, 1e-5);
  EXPECT_GT(recent.p99, 1000);
}

TEST(LatencyWindow, CallsAreForgottenAfterAMinute) {
  LatencyWindow window;
  window.Add({.seconds = 1, .rows = 5, .failed = true}, kStart);
  window.Add({.seconds = 2, .rows = 7}, kStart + seconds(30));
  EXPECT_EQ(window.Read(kStart + seconds(54)).calls, 2);
  const LatencyWindow::Recent later = window.Read(kStart + seconds(61));
  EXPECT_EQ(later.calls, 1);
  EXPECT_EQ(later.failed, 0);
  EXPECT_EQ(later.rows, 7);
  EXPECT_EQ(window.Read(kStart + seconds(3600)).calls, 0);
  // Their place is taken again.
  window.Add({.seconds = 3, .rows = 1}, kStart + seconds(60));
  EXPECT_EQ(window.Read(kStart + seconds(60)).rows, 8);
}

TEST(LatencyWindow, ItsLengthIsAboutAMinute) {
  for (int i = 0; i < 10; ++i) {
    const auto length = LatencyWindow::Length(kStart + seconds(i));
    EXPECT_GE(length, seconds(55));
    EXPECT_LE(length, seconds(60));
  }
}

}  // namespace
}  // namespace sluiced::observe
