#include "server/common/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>

#include "absl/synchronization/notification.h"

namespace sluiced {
namespace {

TEST(ThreadPool, RunsAllThatWasPostedBeforeItEnds) {
  std::atomic<int> ran = 0;
  {
    ThreadPool pool(3, 1000);
    for (int i = 0; i < 1000; ++i) {
      ASSERT_TRUE(pool.TryPost([&ran] { ++ran; }));
    }
  }
  EXPECT_EQ(ran, 1000);
}

TEST(ThreadPool, RefusesWhenFullWithoutBlocking) {
  absl::Notification started, release;
  std::atomic<int> ran = 0;
  {
    ThreadPool pool(1, 2);
    ASSERT_TRUE(pool.TryPost([&] {
      started.Notify();
      release.WaitForNotification();
    }));
    started.WaitForNotification();
    EXPECT_TRUE(pool.TryPost([&ran] { ++ran; }));
    EXPECT_TRUE(pool.TryPost([&ran] { ++ran; }));
    EXPECT_FALSE(pool.TryPost([&ran] { ran += 100; }));
    release.Notify();
  }
  EXPECT_EQ(ran, 2);
}

TEST(ThreadPool, RunsOnSeveralThreadsAtOnce) {
  ThreadPool pool(2, 10);
  absl::Notification first, second, done;
  ASSERT_TRUE(pool.TryPost([&] {
    first.Notify();
    second.WaitForNotification();
    done.Notify();
  }));
  ASSERT_TRUE(pool.TryPost([&] {
    first.WaitForNotification();
    second.Notify();
  }));
  EXPECT_TRUE(done.WaitForNotificationWithTimeout(absl::Seconds(30)));
}

TEST(ThreadPool, WorkMayPostWork) {
  ThreadPool pool(1, 10);
  absl::Notification done;
  ASSERT_TRUE(pool.TryPost([&] { EXPECT_TRUE(pool.TryPost([&] { done.Notify(); })); }));
  EXPECT_TRUE(done.WaitForNotificationWithTimeout(absl::Seconds(30)));
}

}  // namespace
}  // namespace sluiced
