// Start and stop: who owns the data directory, and what a SIGTERM leaves behind.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fixtures.h"
#include "tests/support/server_process.h"

namespace sluice::testing {
namespace {

using ::testing::HasSubstr;

TEST(Lifecycle, ADataDirectoryHasOneOwner) {
  const TempDir dir;
  ServerProcess first, second;
  ASSERT_TRUE(first.Start({dir.path()})) << first.Log();

  ASSERT_FALSE(second.Start({dir.path()}));
  const Exit exit = second.Wait();
  ASSERT_TRUE(exit.code.has_value()) << "ended by signal " << exit.signal.value_or(0);
  EXPECT_NE(*exit.code, 0);
  EXPECT_THAT(second.Log(), HasSubstr(dir.path()));
  EXPECT_THAT(second.Log(), HasSubstr(std::to_string(first.pid())));

  const auto health = first.Connect()->CheckHealth();
  ASSERT_SLUICE_OK(health.status());
  EXPECT_TRUE(health->serving);

  first.Kill();  // The ownership goes with the process, however it ends.
  EXPECT_TRUE(second.Start({dir.path()})) << second.Log();
}

TEST(Lifecycle, ADataDirectoryThatCannotBeMadeIsSaidClearly) {
  ServerProcess server;
  ASSERT_FALSE(server.Start({"/proc/no-such-place"}));
  EXPECT_NE(server.Wait().code.value_or(-1), 0);
  EXPECT_THAT(server.Log(), HasSubstr("/proc/no-such-place"));
}

TEST(Lifecycle, SigtermWithNothingToDoExitsZero) {
  const TempDir dir;
  ServerProcess server;
  ASSERT_TRUE(server.Start({dir.path()})) << server.Log();
  EXPECT_EQ(server.Terminate().code, 0) << server.Log();
}

// Watches `job` until an update of a finished epoch came.
Status WaitForEpoch(Client& client, const std::string& job) {
  const Status watched =
      client.WatchTrainJob(job, 0, [](const TrainUpdate& update) { return update.epoch == 0; });
  return watched.code == Code::kCancelled ? Status{} : watched;
}

TEST(Lifecycle, ARunningJobOutlivesSigtermAsItsSecondAttempt) {
  const TempDir dir;
  ServerProcess server;
  ASSERT_TRUE(server.Start({dir.path()})) << server.Log();
  auto client = server.Connect();
  ASSERT_SLUICE_OK(MakeModelAndDataset(*client, "m", 5000));
  const auto job = client->CreateTrainJob(TrainRequestFor("m", 200));
  ASSERT_SLUICE_OK(job.status());
  ASSERT_SLUICE_OK(WaitForEpoch(*client, job->id));

  EXPECT_EQ(server.Terminate().code, 0) << server.Log();
  ASSERT_TRUE(server.Start({dir.path()})) << server.Log();
  client = server.Connect();
  int64_t last_sequence = 0, last_epoch = 0;
  ASSERT_SLUICE_OK(client->WatchTrainJob(job->id, 0, [&](const TrainUpdate& update) {
    EXPECT_GT(update.sequence, last_sequence);
    // A drained job was saved where it stood: no epoch is trained twice.
    if (update.train_loss) {
      EXPECT_GE(update.epoch, last_epoch);
    }
    last_sequence = update.sequence;
    last_epoch = std::max(last_epoch, update.epoch);
    return true;
  }));
  const auto ended = client->GetTrainJob(job->id);
  ASSERT_SLUICE_OK(ended.status());
  EXPECT_EQ(ended->state, JobState::kSucceeded) << ended->error;
  EXPECT_EQ(ended->attempt, 2);
  EXPECT_EQ(ended->version, 1);
  EXPECT_EQ(last_epoch, 200);
}

}  // namespace
}  // namespace sluice::testing
