#include "server/serving/batcher.h"

#include <atomic>
#include <future>
#include <memory>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "server/common/errors.h"
#include "tests/serving/fake_flow.h"

namespace sluiced::serving {
namespace {

// One thread, which is busy until Release.
class BatcherTest : public ::testing::Test {
 protected:
  BatcherTest() {
    EXPECT_TRUE(compute_
                    .Post(Caller(), [released = release_.get_future().share()](
                                        absl::Status) { released.wait(); })
                    .ok());
  }
  ~BatcherTest() override { Release(); }
  void Release() {
    if (!std::exchange(released_, true)) release_.set_value();
  }

  using Answer = std::future<absl::StatusOr<Scores>>;
  Answer Ask(const flows::Flow& flow, double first, int64_t rows, const Caller& caller = {}) {
    Array x(DType::kFloat64, {rows, 2});
    std::iota(x.as<double>().begin(), x.as<double>().end(), first);
    const auto promise = std::make_shared<std::promise<absl::StatusOr<Scores>>>();
    batcher_->LogProb(Borrow(flow), std::move(x), caller, [promise](absl::StatusOr<Scores> scores) {
      promise->set_value(std::move(scores));
    });
    return promise->get_future();
  }

  void ExpectSums(Answer answer, double first, int64_t rows) {
    const absl::StatusOr<Scores> scores = answer.get();
    ASSERT_TRUE(scores.ok()) << scores.status();
    ASSERT_EQ(scores->log_prob.shape(), std::vector<int64_t>{rows});
    for (int64_t i = 0; i < rows; ++i) {
      EXPECT_EQ(scores->log_prob.At(i), 2 * first + 4.0 * static_cast<double>(i) + 1);
    }
  }

  void MakeBatcher(const BatcherOptions& options) {
    batcher_ = std::make_unique<Batcher>(&compute_, options);
  }

  const FakeFlow flow_{/*bad=*/-1}, other_{/*bad=*/-1};
  std::promise<void> release_;
  bool released_ = false;
  std::unique_ptr<Batcher> batcher_;
  Executor compute_{"compute", 1, 10};
};

TEST_F(BatcherTest, CallsThatWaitAreOneBatch) {
  MakeBatcher({});
  std::vector<Answer> answers;
  for (int i = 0; i < 10; ++i) answers.push_back(Ask(flow_, 100.0 * i, i));
  Release();
  for (int i = 0; i < 10; ++i) ExpectSums(std::move(answers[static_cast<size_t>(i)]), 100.0 * i, i);
  EXPECT_EQ(flow_.blocks, 1);
}

TEST_F(BatcherTest, TellsOfEachBatchAndOfTheCallsInIt) {
  std::vector<std::pair<int64_t, int64_t>> batches;
  MakeBatcher(
      {.on_batch = [&](int64_t calls, int64_t rows) { batches.emplace_back(calls, rows); }});
  const auto gone = std::make_shared<std::atomic<bool>>(true);
  std::vector<int> begun;
  std::promise<void> last;
  for (int i = 1; i <= 3; ++i) {
    const Caller caller = i == 2 ? Caller(absl::InfiniteFuture(), gone) : Caller();
    batcher_->LogProb(
        Borrow(flow_), Array(DType::kFloat64, {10 * i, 2}), caller,
        [&last, i](const absl::StatusOr<Scores>&) {
          if (i == 3) last.set_value();
        },
        [&begun, i] { begun.push_back(i); });
  }
  EXPECT_EQ(batcher_->waiting(), 3u);
  Release();
  last.get_future().wait();
  EXPECT_EQ(begun, (std::vector<int>{1, 3}));  // Not the one whose caller has left.
  EXPECT_EQ(batches, (std::vector<std::pair<int64_t, int64_t>>{{2, 40}}));
  EXPECT_EQ(batcher_->waiting(), 0u);
}

TEST_F(BatcherTest, FlowsAreNotMixed) {
  MakeBatcher({});
  Answer one = Ask(flow_, 1, 3), two = Ask(other_, 2, 3), three = Ask(flow_, 3, 3);
  Release();
  ExpectSums(std::move(one), 1, 3);
  ExpectSums(std::move(two), 2, 3);
  ExpectSums(std::move(three), 3, 3);
  EXPECT_EQ(flow_.blocks, 1);
  EXPECT_EQ(other_.blocks, 1);
}

TEST_F(BatcherTest, ABatchHasAtMostSoManyRowsUnlessOneCallHasMore) {
  MakeBatcher({.max_rows = 10});
  std::vector<Answer> answers;
  for (int64_t rows : {25, 4, 4, 4, 10, 1}) answers.push_back(Ask(flow_, 0, rows));
  Release();
  for (Answer& answer : answers) EXPECT_TRUE(answer.get().ok());
  EXPECT_EQ(flow_.blocks, 5);  // 25, 4 + 4, 4, 10, 1
}

TEST_F(BatcherTest, WhoHasLeftIsNotComputedFor) {
  MakeBatcher({});
  const auto gone = std::make_shared<std::atomic<bool>>(false);
  Answer late = Ask(flow_, 0, 1, Caller(absl::Now() - absl::Milliseconds(1), nullptr));
  Answer left = Ask(flow_, 0, 1, Caller(absl::InfiniteFuture(), gone));
  Answer stays = Ask(flow_, 5, 2);
  gone->store(true);
  Release();
  EXPECT_TRUE(absl::IsDeadlineExceeded(late.get().status()));
  EXPECT_TRUE(absl::IsCancelled(left.get().status()));
  ExpectSums(std::move(stays), 5, 2);
}

TEST_F(BatcherTest, ARowThatIsNotFiniteIsMarkedInItsOwnCall) {
  MakeBatcher({});
  const FakeFlow flow(/*bad=*/102);
  Answer good = Ask(flow, 0, 2), bad = Ask(flow, 100, 3);
  Release();
  EXPECT_EQ(good.get()->not_finite, "");
  EXPECT_EQ(bad.get()->not_finite, std::string("\0\1\0", 3));
}

TEST_F(BatcherTest, RefusesWhenTooManyWait) {
  MakeBatcher({.max_waiting = 2});
  Answer one = Ask(flow_, 0, 1), two = Ask(other_, 0, 1);
  const absl::Status refused = Ask(flow_, 0, 1).get().status();
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_TRUE(RetryDelayOf(refused).has_value());
  Release();
  EXPECT_TRUE(one.get().ok());
  EXPECT_TRUE(two.get().ok());
  EXPECT_TRUE(Ask(flow_, 0, 1).get().ok());
}

TEST_F(BatcherTest, WithADelayAnIdleServerWaitsForOthersToCome) {
  MakeBatcher({.max_rows = 3, .delay = absl::Hours(1)});
  Release();
  Answer one = Ask(flow_, 1, 1), two = Ask(flow_, 2, 1), three = Ask(flow_, 3, 1);
  ExpectSums(std::move(one), 1, 1);
  ExpectSums(std::move(two), 2, 1);
  ExpectSums(std::move(three), 3, 1);
  EXPECT_EQ(flow_.blocks, 1);
}

TEST_F(BatcherTest, ADelayEnds) {
  MakeBatcher({.max_rows = 1000, .delay = absl::Milliseconds(5)});
  Release();
  ExpectSums(Ask(flow_, 1, 1), 1, 1);
}

}  // namespace
}  // namespace sluiced::serving
