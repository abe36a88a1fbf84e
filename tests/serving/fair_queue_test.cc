#include "server/serving/fair_queue.h"

#include <algorithm>
#include <string>

#include "gtest/gtest.h"

namespace sluiced::serving {
namespace {

// Work that writes its letter, and a thread that takes it in turn.
class FairQueueTest : public ::testing::Test {
 protected:
  void Push(Lane lane, char letter, int count = 1) {
    for (int i = 0; i < count; ++i) queue_.Push(lane, [this, letter] { order_ += letter; });
  }
  // Runs what is due, which takes so long.
  void Run(absl::Duration takes) {
    const auto [lane, work] = queue_.Pop();
    work();
    queue_.Charge(lane, takes);
  }
  void Run(int count, absl::Duration takes) {
    for (int i = 0; i < count; ++i) Run(takes);
  }

  const int owners_[3] = {};
  const Lane a_{&owners_[0]}, b_{&owners_[1]}, c_{&owners_[2]};
  FairQueue queue_;
  std::string order_;
};

TEST_F(FairQueueTest, TakesTheWorkOfALaneInItsOrder) {
  Push(a_, '1');
  Push(a_, '2');
  Push(a_, '3');
  Run(3, absl::Milliseconds(1));
  EXPECT_EQ(order_, "123");
}

TEST_F(FairQueueTest, LanesTakeTurnsHoweverLongTheirLines) {
  Push(a_, 'a', 100);
  Push(b_, 'b', 3);
  Push(c_, 'c', 2);
  Run(8, absl::Milliseconds(1));
  EXPECT_EQ(order_, "abcabcab");
}

TEST_F(FairQueueTest, ALaneOfLongWorkGoesLessOften) {
  Push(a_, 'a', 10);
  Push(b_, 'b', 10);
  for (int i = 0; i < 12; ++i) {
    const size_t a_runs = static_cast<size_t>(std::count(order_.begin(), order_.end(), 'a'));
    const auto [lane, work] = queue_.Pop();
    work();
    const bool was_a = static_cast<size_t>(std::count(order_.begin(), order_.end(), 'a')) > a_runs;
    queue_.Charge(lane, absl::Milliseconds(was_a ? 5 : 1));
  }
  EXPECT_EQ(std::count(order_.begin(), order_.end(), 'a'), 2) << order_;
}

TEST_F(FairQueueTest, WhoComesLateOwesNothingAndHasSavedNothing) {
  Push(a_, 'a', 100);
  Run(50, absl::Milliseconds(1));
  order_.clear();
  Push(b_, 'b', 100);
  Run(6, absl::Milliseconds(1));
  EXPECT_EQ(order_, "bababa");
}

TEST_F(FairQueueTest, WorkThatRunsAtOnceIsChargedToItsLane) {
  Push(a_, 'a', 4);
  Push(b_, 'b', 4);
  const auto [first, work1] = queue_.Pop();
  const auto [second, work2] = queue_.Pop();
  EXPECT_EQ(first, a_);
  EXPECT_EQ(second, b_);
  queue_.Charge(first, absl::Milliseconds(10));
  queue_.Charge(second, absl::Milliseconds(1));
  Run(3, absl::Milliseconds(1));
  EXPECT_EQ(order_, "bbb");
}

}  // namespace
}  // namespace sluiced::serving
