// What a load generator counts, and when it believes it.
#include "client/cli/load/load.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "client/cli/load/histogram.h"
#include "client/cli/load/measurement.h"
#include "client/cli/load/window.h"

namespace sluice::cli {
namespace {

TEST(Histogram, QuantilesAreThoseOfTheNumbersToABucket) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> latency(13, 2);  // Half a millisecond, give or take.
  std::vector<int64_t> all;
  Histogram histogram;
  for (int i = 0; i < 20000; ++i) {
    all.push_back(static_cast<int64_t>(latency(random)));
    histogram.Add(all.back());
  }
  std::sort(all.begin(), all.end());
  for (const double fraction : {0.001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<size_t>(fraction * 20000) - 1;
    const double exact = 1e-9 * static_cast<double>(all[rank]);
    EXPECT_NEAR(histogram.QuantileSeconds(fraction), exact, exact / 128) << fraction;
  }
  EXPECT_EQ(histogram.MaxSeconds(), 1e-9 * static_cast<double>(all.back()));
}

TEST(Histogram, TakesNothingTheLeastAndTheMost) {
  Histogram histogram;
  EXPECT_EQ(histogram.QuantileSeconds(0.5), 0);
  EXPECT_EQ(histogram.MeanSeconds(), 0);
  histogram.Add(-5);  // A clock may not be asked to be better than it is.
  histogram.Add(0);
  EXPECT_EQ(histogram.QuantileSeconds(1), 0);
  histogram.Add(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(histogram.count(), 3);
  EXPECT_GT(histogram.QuantileSeconds(1), 3600);
}

TEST(Histogram, MergedIsAsIfCountedInOne) {
  Histogram one, other, both;
  for (int64_t i = 1; i < 1000; ++i) {
    (i % 3 == 0 ? one : other).Add(i * i);
    both.Add(i * i);
  }
  one.Merge(other);
  EXPECT_EQ(one.count(), both.count());
  EXPECT_EQ(one.MaxSeconds(), both.MaxSeconds());
  EXPECT_DOUBLE_EQ(one.MeanSeconds(), both.MeanSeconds());
  for (const double fraction : {0.1, 0.5, 0.99}) {
    EXPECT_EQ(one.QuantileSeconds(fraction), both.QuantileSeconds(fraction));
  }
}

Window WindowOf(int calls, int64_t nanoseconds) {
  Window window;
  window.seconds = 1;
  for (int i = 0; i < calls; ++i) window.latency.Add(nanoseconds);
  return window;
}

TEST(Windows, AgreeWithinTheToleranceInBothFigures) {
  const struct {
    Window windows[3];
    bool agree;
  } cases[] = {
      {{WindowOf(100, 1000), WindowOf(105, 1000), WindowOf(95, 1050)}, true},
      {{WindowOf(100, 1000), WindowOf(100, 1000), WindowOf(150, 1000)}, false},
      {{WindowOf(100, 1000), WindowOf(100, 2000), WindowOf(100, 1000)}, false},
      {{WindowOf(0, 0), WindowOf(0, 0), WindowOf(0, 0)}, false},
  };
  for (const auto& one : cases) EXPECT_EQ(Agree(one.windows, 0.1), one.agree);
  EXPECT_FALSE(Agree({}, 0.1));
}

// Ends each call at once, but for those held back until Release.
class FakeQueue final : public CallQueue {
 public:
  explicit FakeQueue(Code code = Code::kOk, int hold = 0) : code_(code), hold_(hold) {}

  void Start(const PreparedCall&, int64_t note) override {
    std::lock_guard<std::mutex> lock(mu_);
    ended_.push_back(note);
    changed_.notify_all();
  }
  std::optional<Ended> Next() override {
    std::unique_lock<std::mutex> lock(mu_);
    changed_.wait(lock, [this] { return shut_ || (!ended_.empty() && hold_ <= 0); });
    if (ended_.empty()) return std::nullopt;
    const int64_t note = ended_.front();
    ended_.pop_front();
    Status status;
    status.code = code_;
    return Ended{note, status};
  }
  void Shutdown() override {
    std::lock_guard<std::mutex> lock(mu_);
    shut_ = true;
    changed_.notify_all();
  }
  // Waits until as many calls as are held have started, and ends them.
  void Release() {
    for (bool all = false; !all;) {
      std::lock_guard<std::mutex> lock(mu_);
      all = static_cast<int>(ended_.size()) >= hold_;
      if (all) hold_ = 0;
    }
    changed_.notify_all();
  }

 private:
  const Code code_;
  std::mutex mu_;
  std::condition_variable changed_;
  std::deque<int64_t> ended_;
  int hold_;
  bool shut_ = false;
};

const std::vector<PreparedCall> kCalls = {{"/a/B", ""}};

TEST(Load, AClosedLoopStartsACallForEachThatEnds) {
  Load load(std::make_unique<FakeQueue>(), kCalls, {.concurrency = 3});
  Window window;
  while (window.latency.count() < 1000) window.Merge(load.Cut());
  EXPECT_TRUE(window.errors.empty());
  EXPECT_GT(window.CallsPerSecond(), 0);
}

// A server that answers nothing for a while: each call that was due meanwhile has
// waited, and the later it was due the less.
TEST(Load, AnOpenLoopCountsFromWhenACallWasDue) {
  constexpr int kHeld = 50;
  auto owned = std::make_unique<FakeQueue>(Code::kOk, kHeld);
  FakeQueue* queue = owned.get();
  Load load(std::move(owned), kCalls, {.rate = 1000});
  queue->Release();
  Window window;
  while (window.latency.count() < kHeld) window.Merge(load.Cut());
  EXPECT_GT(window.latency.MaxSeconds(), 0.01);
  EXPECT_LT(window.latency.QuantileSeconds(0.02), window.latency.MaxSeconds() / 2);
}

TEST(Load, FailuresAreCountedByCodeAndHaveNoLatency) {
  Load load(std::make_unique<FakeQueue>(Code::kNotFound), kCalls, {.concurrency = 1});
  Window window;
  while (window.ErrorCount() < 10) window.Merge(load.Cut());
  EXPECT_EQ(window.latency.count(), 0);
  EXPECT_EQ(window.errors.size(), 1u);
  EXPECT_EQ(window.errors.begin()->first, Code::kNotFound);
  EXPECT_EQ(window.first_error.code, Code::kNotFound);
}

TEST(Measure, EndsWhenToldAndAfterTheMostWindows) {
  Load load(std::make_unique<FakeQueue>(Code::kNotFound), kCalls, {.concurrency = 1});
  const MeasurementRule rule = {.window_seconds = 0.001, .most_windows = 5};
  const auto go_on = [](const Window&) { return true; };
  const Measurement whole = Measure(load, rule, go_on);
  EXPECT_EQ(whole.windows, 5);
  EXPECT_FALSE(whole.stable);
  EXPECT_EQ(Measure(load, rule, [](const Window&) { return false; }).windows, 1);
}

}  // namespace
}  // namespace sluice::cli
