#include "server/serving/executor.h"

#include <atomic>
#include <future>
#include <memory>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "server/common/errors.h"

namespace sluiced::serving {
namespace {

// Keeps one thread of an executor busy until released.
class Blocker {
 public:
  explicit Blocker(Executor* executor) {
    std::promise<void> started;
    EXPECT_TRUE(executor
                    ->Post(Caller(),
                           [&started, released = release_.get_future().share()](absl::Status) {
                             started.set_value();
                             released.wait();
                           })
                    .ok());
    started.get_future().wait();
  }
  ~Blocker() { Release(); }
  void Release() {
    if (!std::exchange(released_, true)) release_.set_value();
  }

 private:
  std::promise<void> release_;
  bool released_ = false;
};

// What work posted for `caller` is told, once `blocker` lets it run.
absl::Status ToldAfter(Executor* executor, const Caller& caller, Blocker* blocker) {
  std::promise<absl::Status> told;
  EXPECT_TRUE(executor->Post(caller, [&](absl::Status wanted) { told.set_value(wanted); }).ok());
  blocker->Release();
  return told.get_future().get();
}

TEST(Executor, RunsEachPieceOnce) {
  std::vector<std::atomic<int>> runs(1000);
  {
    Executor executor("compute", 4, runs.size());
    for (auto& count : runs) {
      EXPECT_TRUE(executor
                      .Post(Caller(),
                            [&count](absl::Status wanted) {
                              EXPECT_TRUE(wanted.ok());
                              ++count;
                            })
                      .ok());
    }
  }
  for (const auto& count : runs) EXPECT_EQ(count, 1);
}

TEST(Executor, RefusesNewWorkWhenTheQueueIsFull) {
  Executor executor("compute", 1, 2);
  Blocker blocker(&executor);
  std::atomic<int> runs = 0;
  const auto count = [&runs](absl::Status) { ++runs; };
  EXPECT_TRUE(executor.Post(Caller(), count).ok());
  EXPECT_TRUE(executor.Post(Caller(), count).ok());
  const absl::Status refused = executor.Post(Caller(), count);
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_TRUE(RetryDelayOf(refused).has_value());
  EXPECT_EQ(runs, 0);
}

TEST(Executor, ContinuesAStreamHoweverFullTheQueueIs) {
  Executor executor("compute", 1, 1);
  Blocker blocker(&executor);
  EXPECT_TRUE(executor.Post(Caller(), [](absl::Status) {}).ok());
  EXPECT_FALSE(executor.Post(Caller(), [](absl::Status) {}).ok());
  std::promise<void> ran;
  executor.Continue(Caller(), [&ran](absl::Status) { ran.set_value(); });
  blocker.Release();
  ran.get_future().wait();
}

TEST(Executor, HasRoomAgainWhenTheQueueHasRun) {
  Executor executor("compute", 1, 1);
  for (int i = 0; i < 100; ++i) {
    std::promise<void> ran;
    ASSERT_TRUE(executor.Post(Caller(), [&ran](absl::Status) { ran.set_value(); }).ok());
    ran.get_future().wait();
  }
}

TEST(Executor, TellsWorkWhoseDeadlinePassedInTheQueue) {
  Executor executor("compute", 1, 10);
  Blocker blocker(&executor);
  const Caller caller(absl::Now() - absl::Milliseconds(1), nullptr);
  EXPECT_TRUE(absl::IsDeadlineExceeded(ToldAfter(&executor, caller, &blocker)));
}

TEST(Executor, TellsWorkWhoseCallerLeftInTheQueue) {
  Executor executor("compute", 1, 10);
  Blocker blocker(&executor);
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  const Caller caller(absl::InfiniteFuture(), cancelled);
  cancelled->store(true);
  EXPECT_TRUE(absl::IsCancelled(ToldAfter(&executor, caller, &blocker)));
}

TEST(Executor, RunsEachPartOnceAndThenIsDone) {
  Executor executor("compute", 3, 1);
  for (int64_t parts : {1, 2, 3, 50}) {
    std::vector<std::atomic<int>> runs(static_cast<size_t>(parts));
    std::promise<void> done;
    executor.ForParts(
        parts, [&](int64_t part) { ++runs[static_cast<size_t>(part)]; },
        [&] {
          for (const auto& count : runs) EXPECT_EQ(count, 1);
          done.set_value();
        });
    done.get_future().wait();
  }
}

TEST(Executor, EndsPartsThatAreUnderWayBeforeItGoes) {
  std::atomic<int> runs = 0;
  bool done = false;
  {
    Executor executor("compute", 2, 1);
    executor.ForParts(
        100, [&](int64_t) { ++runs; }, [&] { done = true; });
  }
  EXPECT_EQ(runs, 100);
  EXPECT_TRUE(done);
}

TEST(Executor, WorkOfOthersGoesBetweenParts) {
  Executor executor("compute", 1, 10);
  Blocker blocker(&executor);
  std::promise<void> done;
  std::atomic<int> parts = 0;
  int parts_before = -1;
  executor.ForParts(
      50, [&](int64_t) { ++parts; }, [&] { done.set_value(); });
  const Lane others{&parts_before};
  EXPECT_TRUE(executor
                  .Post(
                      Caller(), [&](absl::Status) { parts_before = parts; }, others)
                  .ok());
  blocker.Release();
  done.get_future().wait();
  EXPECT_GE(parts_before, 0);
  EXPECT_LE(parts_before, 2);
}

}  // namespace
}  // namespace sluiced::serving
