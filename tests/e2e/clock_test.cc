// A system clock that is put right, or wrong, under a running server: what waits for
// anything waits as long as before.
#include <atomic>
#include <chrono>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/faults.h"
#include "tests/support/fixtures.h"
#include "tests/support/server_process.h"

namespace sluice::testing {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class ClockTest : public ::testing::TestWithParam<int> {
 protected:
  hours jump() const { return hours(GetParam()); }

  Faults faults_;
  TempDir dir_;
  ServerProcess server_;
};

INSTANTIATE_TEST_SUITE_P(Jumps, ClockTest, ::testing::Values(-30, 30), [](const auto& jump) {
  return jump.param < 0 ? "Backwards" : "Forwards";
});

// Batches wait for others, large calls for a thread; each has ten seconds of its own.
TEST_P(ClockTest, CallsThatWaitAreAnsweredInTime) {
  ASSERT_TRUE(
      server_.Start({.data_dir = dir_.path(), .flags = {"--threads=1", "--batch-delay-us=20000"}}))
      << server_.Log();
  auto client = server_.Connect({.timeout = seconds(10)});
  FlowSpec spec = SmallFlow();
  spec.hidden = 64;  // Too much for the thread where a call arrives.
  ASSERT_SLUICE_OK(client->CreateModel("m", spec, {}).status());
  std::atomic<bool> over = false;
  std::vector<std::thread> callers;
  for (const int64_t rows : {500, 500, 30000, 30000}) {
    callers.emplace_back([&, rows] {
      const Matrix points = CountingRows(rows, 3, 0);
      while (!over) {
        const Status status = client->LogProb("m", points).status();
        EXPECT_TRUE(status.ok()) << rows << " rows: " << status.ToString();
        if (!status.ok()) return;
      }
    });
  }
  for (int i = 1; i <= 8; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    faults_.PutClockOff(i * jump());
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  over = true;
  for (std::thread& caller : callers) caller.join();
}

TEST_P(ClockTest, ATrainingGoesOnKeepsCheckpointsAndReportsItsSpeed) {
  ASSERT_TRUE(server_.Start({.data_dir = dir_.path()})) << server_.Log();
  auto client = server_.Connect();
  ASSERT_SLUICE_OK(MakeModelAndDataset(*client, "m", 5000));
  const auto job = client->CreateTrainJob(TrainRequestFor("m", 1'000'000));
  ASSERT_SLUICE_OK(job.status());
  int64_t epoch_of_jump = 0;
  const auto start = std::chrono::steady_clock::now();
  const Status left = client->WatchTrainJob(job->id, 0, [&](const TrainUpdate& update) {
    EXPECT_TRUE(std::isfinite(update.rows_per_second) && update.rows_per_second >= 0);
    EXPECT_TRUE(std::isfinite(update.seconds_left) && update.seconds_left >= 0);
    if (epoch_of_jump == 0 && update.epoch > 2) {
      faults_.PutClockOff(jump());
      epoch_of_jump = update.epoch;
    }
    // Two checkpoints are due since.
    return std::chrono::steady_clock::now() - start < seconds(6);
  });
  EXPECT_EQ(left.code, Code::kCancelled) << left.ToString();
  ASSERT_GT(epoch_of_jump, 0);
  server_.Kill();

  ASSERT_TRUE(server_.Start({.data_dir = dir_.path()})) << server_.Log();
  client = server_.Connect();
  const auto before = client->GetTrainJob(job->id);
  ASSERT_SLUICE_OK(before.status());
  int64_t next_epoch = 0;
  client->WatchTrainJob(job->id, before->last_sequence, [&](const TrainUpdate& update) {
    next_epoch = update.epoch;
    return next_epoch == 0;
  });
  EXPECT_GT(next_epoch, epoch_of_jump + 10) << "no checkpoint was kept after the jump";
  ASSERT_SLUICE_OK(client->CancelTrainJob(job->id).status());
}

}  // namespace
}  // namespace sluice::testing
