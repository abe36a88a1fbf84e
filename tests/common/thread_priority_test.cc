#include "server/common/thread_priority.h"

#include <gtest/gtest.h>

#include <thread>

namespace sluiced {
namespace {

TEST(ThreadPriority, IsAThreadsOwnAndThatOfThoseItStarts) {
  const int before = Niceness();
  int own = -1, started = -1;
  std::thread([&] {
    SetNiceness(before + 1);
    own = Niceness();
    std::thread([&] { started = Niceness(); }).join();
  }).join();
  EXPECT_EQ(own, before + 1);
  EXPECT_EQ(started, before + 1);
  EXPECT_EQ(Niceness(), before);
}

}  // namespace
}  // namespace sluiced
