// Backup and restore of a server that trains, and the flags that say how much is kept.
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fixtures.h"
#include "tests/support/server_process.h"

namespace sluice::testing {
namespace {

using ::testing::HasSubstr;

constexpr int kUsage = 2;

Status BackUpTo(Client& client, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  return client.Backup([&file](const Client::BackupPart& part) {
    file << part.bytes;
    return Status{};
  });
}

// Watches `job` from its beginning until `epoch` has ended.
void AwaitEpoch(Client& client, const std::string& job, int64_t epoch) {
  client.WatchTrainJob(job, 0, [epoch](const TrainUpdate& update) { return update.epoch < epoch; });
}

// Of a job that has ended, of which a watch tells all; of a running one it may skip some.
int64_t FirstEpochOfAttempt(Client& client, const std::string& job, int attempt) {
  int64_t epoch = 0;
  client.WatchTrainJob(job, 0, [&](const TrainUpdate& update) {
    if (update.attempt == attempt && update.train_loss) epoch = update.epoch;
    return epoch == 0;
  });
  return epoch;
}

void AwaitEnd(Client& client, const std::string& job) {
  ASSERT_SLUICE_OK(client.WatchTrainJob(job, 0, [](const TrainUpdate&) { return true; }));
  const auto ended = client.GetTrainJob(job);
  ASSERT_SLUICE_OK(ended.status());
  EXPECT_EQ(ended->state, JobState::kSucceeded) << ended->error;
}

TEST(Backup, ARestoredServerServesAndGoesOnTrainingToTheSameParameters) {
  const TempDir dir;
  const std::string file = dir.path() + "/backup";
  ServerProcess first;
  ASSERT_TRUE(
      first.Start({.data_dir = dir.path() + "/first", .flags = {"--checkpoint-interval", "0"}}))
      << first.Log();
  const auto one = first.Connect();
  ASSERT_SLUICE_OK(MakeModelAndDataset(*one, "m", 3000));
  Client::TrainRequest request = TrainRequestFor("m", 400);
  request.job_id = "runs";
  ASSERT_SLUICE_OK(one->CreateTrainJob(request).status());
  request.job_id = "waits";
  ASSERT_SLUICE_OK(one->CreateTrainJob(request).status());
  AwaitEpoch(*one, "runs", 5);
  ASSERT_SLUICE_OK(BackUpTo(*one, file));
  EXPECT_EQ(one->GetTrainJob("runs")->state, JobState::kRunning) << "a backup stops nothing";

  ServerProcess second;
  ASSERT_TRUE(second.Start({.data_dir = dir.path() + "/second", .flags = {"--restore", file}}))
      << second.Log();
  const auto two = second.Connect();
  const Matrix points = CountingRows(16, 3, -20);
  EXPECT_EQ(two->LogProb("m@0", points)->log_prob, one->LogProb("m@0", points)->log_prob);
  for (const char* job : {"runs", "waits"}) {
    ASSERT_NO_FATAL_FAILURE(AwaitEnd(*one, job));
    ASSERT_NO_FATAL_FAILURE(AwaitEnd(*two, job));
  }
  EXPECT_EQ(two->GetTrainJob("runs")->attempt, 2);
  EXPECT_EQ(two->GetTrainJob("waits")->attempt, 1);
  EXPECT_EQ(two->LogProb("m@1", points)->log_prob, one->LogProb("m@1", points)->log_prob);
  // It did not begin anew.
  EXPECT_GT(FirstEpochOfAttempt(*two, "runs", 2), 5);
}

TEST(Backup, IsRestoredIntoAnEmptyDirectoryOnly) {
  const TempDir dir;
  const std::string file = dir.path() + "/backup";
  ServerProcess server;
  ASSERT_TRUE(server.Start({.data_dir = dir.path() + "/first"})) << server.Log();
  ASSERT_SLUICE_OK(server.Connect()->CreateModel("m", SmallFlow(), {}).status());
  ASSERT_SLUICE_OK(BackUpTo(*server.Connect(), file));
  server.Terminate();

  ASSERT_FALSE(server.Start({.data_dir = dir.path() + "/first", .flags = {"--restore", file}}));
  EXPECT_EQ(server.Wait().code, 1);
  EXPECT_THAT(server.Log(), HasSubstr("--restore " + file + ": the data directory"));
  EXPECT_THAT(server.Log(), HasSubstr("has a database already"));

  std::ofstream(dir.path() + "/picture") << std::string(5000, 'p');
  for (const auto& [name, why] :
       {std::pair("picture", "is no backup of Sluice"), std::pair("nothing", "cannot be read")}) {
    const std::string bad = dir.path() + "/" + name;
    ASSERT_FALSE(server.Start({.data_dir = dir.path() + "/second", .flags = {"--restore", bad}}));
    EXPECT_EQ(server.Wait().code, 1);
    EXPECT_THAT(server.Log(), HasSubstr("--restore " + bad));
    EXPECT_THAT(server.Log(), HasSubstr(why));
  }
  EXPECT_TRUE(server.Start({.data_dir = dir.path() + "/second", .flags = {"--restore", file}}))
      << server.Log();
  EXPECT_TRUE(server.Connect()->GetModel("m").ok());
}

TEST(Keeping, CheckpointsComeAsOftenAsAsked) {
  for (const auto& [interval, keeps] : {std::pair("0", true), std::pair("86400", false)}) {
    const TempDir dir;
    ServerProcess server;
    const ServerOptions options{.data_dir = dir.path(),
                                .flags = {"--checkpoint-interval", interval}};
    ASSERT_TRUE(server.Start(options)) << server.Log();
    ASSERT_SLUICE_OK(MakeModelAndDataset(*server.Connect(), "m", 300));
    const auto job = server.Connect()->CreateTrainJob(TrainRequestFor("m", 1'000'000));
    ASSERT_SLUICE_OK(job.status());
    AwaitEpoch(*server.Connect(), job->id, 10);
    server.Kill();
    ASSERT_TRUE(server.Start(options)) << server.Log();
    const auto client = server.Connect();
    client->WatchTrainJob(job->id, 0, [](const TrainUpdate& update) {
      return !(update.attempt == 2 && update.train_loss);
    });
    ASSERT_SLUICE_OK(client->CancelTrainJob(job->id).status());
    ASSERT_SLUICE_OK(client->WatchTrainJob(job->id, 0, [](const TrainUpdate&) { return true; }));
    const int64_t again_at = FirstEpochOfAttempt(*client, job->id, 2);
    if (keeps) {
      EXPECT_GE(again_at, 10);
    } else {
      EXPECT_EQ(again_at, 1);
    }
  }
}

TEST(Keeping, OfAJobItsLastUpdatesAndOfOneLongEndedItsLast) {
  const TempDir dir;
  ServerProcess server;
  ASSERT_TRUE(server.Start({.data_dir = dir.path(), .flags = {"--keep-updates", "20"}}))
      << server.Log();
  ASSERT_SLUICE_OK(MakeModelAndDataset(*server.Connect(), "m", 300));
  Client::TrainRequest request = TrainRequestFor("m", 200);
  request.job_id = "job";
  ASSERT_SLUICE_OK(server.Connect()->CreateTrainJob(request).status());
  AwaitEpoch(*server.Connect(), "job", 200);
  int64_t updates = 0, first = 0;
  const auto replay = [&] {
    updates = first = 0;
    JobState last = JobState::kQueued;
    const Status watched =
        server.Connect()->WatchTrainJob("job", 0, [&](const TrainUpdate& update) {
          if (updates++ == 0) first = update.sequence;
          last = update.state;
          return true;
        });
    EXPECT_TRUE(watched.ok()) << watched.ToString();
    EXPECT_EQ(last, JobState::kSucceeded);
  };
  replay();
  replay();  // From the store alone.
  EXPECT_GE(updates, 20);
  EXPECT_LE(updates, 22);
  EXPECT_GT(first, 1);
  const auto snapshots = server.Connect()->GetTrainJob("job")->snapshot_epochs;
  ASSERT_FALSE(snapshots.empty());
  const std::string snapshot = "job#" + std::to_string(snapshots.front());
  EXPECT_TRUE(server.Connect()->Sample(snapshot, 1, {}).ok());
  server.Terminate();

  ASSERT_TRUE(server.Start({.data_dir = dir.path(), .flags = {"--keep-ended-jobs", "0.000001"}}))
      << server.Log();
  for (int tries = 0; tries < 10'000 && updates != 1; ++tries) replay();
  EXPECT_EQ(updates, 1) << "the last";
  const auto job = server.Connect()->GetTrainJob("job");
  ASSERT_SLUICE_OK(job.status());
  EXPECT_EQ(job->version, 1);
  EXPECT_EQ(job->last_sequence, first);
  EXPECT_TRUE(job->snapshot_epochs.empty());
  EXPECT_EQ(server.Connect()->Sample(snapshot, 1, {}).status().code, Code::kNotFound);
  EXPECT_TRUE(server.Connect()->Sample("m@1", 1, {}).ok()) << "what it published stays";
}

TEST(Keeping, FlagsThatMakeNoSenseAreNamed) {
  const TempDir dir;
  for (const std::string flag : {"--checkpoint-interval", "--keep-updates", "--keep-ended-jobs"}) {
    for (const char* value : {"-1", "often"}) {
      ServerProcess server;
      ASSERT_FALSE(server.Start({.data_dir = dir.path(), .flags = {flag, value}})) << flag;
      EXPECT_EQ(server.Wait().code, kUsage);
      EXPECT_THAT(server.Log(), HasSubstr(flag));
    }
  }
}

}  // namespace
}  // namespace sluice::testing
