// kill -9 at random moments of an upload, a training and a publish: what the
// server acknowledged is there when it comes back, and nothing half-made is.
//   SLUICE_CRASH_ROUNDS   kills in all, with those of crash_changes_test.cc (24)
//   SLUICE_CRASH_SEED     of their moments (1)
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "tests/e2e/crash_fixture.h"

namespace sluice::testing {
namespace {

using std::chrono::milliseconds;

TEST_F(CrashTest, UploadsAreWholeOrAbsent) {
  constexpr int64_t kRows = 40000, kCols = 5;  // 1.6 MB: several messages.
  std::map<std::string, double> acknowledged;  // Id -> salt of its rows.
  int64_t started = 0;
  for (int64_t round = 0; round < Rounds(); ++round) {
    ASSERT_NO_FATAL_FAILURE(StartServer());
    KillDuring(milliseconds(150), [&] {
      for (;;) {
        const double salt = static_cast<double>(++started) * 1e7;
        const std::string id = std::string("d").append(std::to_string(started));
        if (!client_->UploadRows(id, CountingRows(kRows, kCols, salt), "test", "").ok()) return;
        acknowledged[id] = salt;
      }
    });
    ASSERT_NO_FATAL_FAILURE(StartServer());
    const auto listed = client_->ListDatasets();
    ASSERT_SLUICE_OK(listed.status());
    // Beside the acknowledged ones at most the one upload of each kill that was
    // stored without its reply arriving.
    EXPECT_GE(listed->size(), acknowledged.size());
    EXPECT_LE(listed->size(), acknowledged.size() + static_cast<size_t>(round) + 1);
    for (const Dataset& dataset : *listed) EXPECT_EQ(dataset.rows, kRows) << dataset.id;
    server_.Kill();
  }
  ASSERT_NO_FATAL_FAILURE(StartServer());
  for (const auto& [id, salt] : acknowledged) {
    const auto rows = client_->DownloadDataset(id);
    ASSERT_SLUICE_OK(rows.status());
    EXPECT_EQ(rows->values, CountingRows(kRows, kCols, salt).values) << id;
  }
}

// Epochs and losses as a watcher saw them, by sequence.
using Seen = std::map<int64_t, std::pair<int64_t, std::optional<double>>>;

Seen WatchFrom(Client& client, const std::string& job, int64_t after) {
  Seen seen;
  client.WatchTrainJob(job, after, [&](const TrainUpdate& update) {
    seen[update.sequence] = {update.epoch, update.train_loss};
    return true;
  });
  return seen;
}

// Watches until an attempt has certainly saved a checkpoint, which it does at the end of an epoch
// after two seconds, or until the job has ended.
Seen WatchToCheckpoint(Client& client, const std::string& job, int64_t after) {
  Seen seen;
  int attempt = 0;
  Time first_epoch;
  bool due = false;
  client.WatchTrainJob(job, after, [&](const TrainUpdate& update) {
    seen[update.sequence] = {update.epoch, update.train_loss};
    if (!update.train_loss) return true;
    if (std::exchange(attempt, update.attempt) != update.attempt) {
      first_epoch = update.time;
      due = false;
    }
    if (due) return false;
    due = update.time - first_epoch >= std::chrono::seconds(2);
    return true;
  });
  return seen;
}

TEST_F(CrashTest, TrainingContinuesAndEndsWhereAnUninterruptedOneDoes) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_SLUICE_OK(MakeModelAndDataset(*client_, "calm", 2000));
  ASSERT_SLUICE_OK(client_->CreateModel("killed", SmallFlow(), {}).status());
  Client::TrainRequest request = TrainRequestFor("calm", 2000);
  const auto calm = client_->CreateTrainJob(request);
  ASSERT_SLUICE_OK(calm.status());
  WatchFrom(*client_, calm->id, 0);
  request.model = "killed";
  const auto job = client_->CreateTrainJob(request);
  ASSERT_SLUICE_OK(job.status());

  Seen seen;
  for (int64_t round = 0; round < Rounds(); ++round) {
    if (!server_.running()) {
      ASSERT_NO_FATAL_FAILURE(StartServer());
    }
    const auto last = [&seen] { return seen.empty() ? 0 : seen.rbegin()->first; };
    // Every other kill comes after progress: a job without any is given up.
    if (round % 2 == 1) seen.merge(WatchToCheckpoint(*client_, job->id, last()));
    KillDuring(milliseconds(400), [&] { seen.merge(WatchFrom(*client_, job->id, last())); });
  }
  ASSERT_NO_FATAL_FAILURE(StartServer());
  const Seen replayed = WatchFrom(*client_, job->id, 0);
  for (const auto& [sequence, update] : seen) {
    ASSERT_EQ(replayed.count(sequence), 1u) << "update " << sequence << " was seen, then lost";
    EXPECT_EQ(replayed.at(sequence), update) << sequence;
  }
  const auto ended = client_->GetTrainJob(job->id);
  ASSERT_SLUICE_OK(ended.status());
  ASSERT_EQ(ended->state, JobState::kSucceeded) << ended->error;
  ASSERT_EQ(ended->version, 1);
  EXPECT_GT(ended->attempt, 1);
  EXPECT_EQ(replayed.rbegin()->first, ended->last_sequence);

  const Matrix points = CountingRows(16, 3, -20);
  const auto expected = client_->LogProb("calm@1", points);
  const auto actual = client_->LogProb("killed@1", points);
  ASSERT_SLUICE_OK(expected.status());
  ASSERT_SLUICE_OK(actual.status());
  EXPECT_EQ(actual->log_prob, expected->log_prob);
}

// What the worker was told: the version that each job published, -1 for one that
// was created only.
using Published = std::map<std::string, int64_t>;

void TrainAgainAndAgain(Client& client, Published& published) {
  for (;;) {
    const auto job = client.CreateTrainJob(TrainRequestFor("m", 1));
    if (!job.ok()) return;
    published.emplace(job->id, -1);
    const Status watched =
        client.WatchTrainJob(job->id, 0, [](const TrainUpdate&) { return true; });
    const auto ended = client.GetTrainJob(job->id);
    if (!watched.ok() || !ended.ok()) return;
    published[job->id] = ended->version.value_or(-1);
  }
}

TEST_F(CrashTest, AJobPublishesOnceAndItsVersionStays) {
  Published published;
  for (int64_t round = 0; round < Rounds(); ++round) {
    ASSERT_NO_FATAL_FAILURE(StartServer());
    if (round == 0) ASSERT_SLUICE_OK(MakeModelAndDataset(*client_, "m", 200));
    // No job is to meet three kills: it would be given up.
    for (const auto& [id, version] : published) {
      if (round % 2 == 0 && version < 0) WatchFrom(*client_, id, 0);
    }
    KillDuring(milliseconds(300), [&] { TrainAgainAndAgain(*client_, published); });
  }
  ASSERT_NO_FATAL_FAILURE(StartServer());
  for (const auto& [id, version] : published) {
    WatchFrom(*client_, id, 0);
    const auto job = client_->GetTrainJob(id);
    ASSERT_SLUICE_OK(job.status());
    EXPECT_EQ(job->state, JobState::kSucceeded) << id << ": " << job->error;
    if (version >= 0) {
      EXPECT_EQ(job->version, version) << id;
    }
  }
  const auto versions = client_->ListVersions("m");
  ASSERT_SLUICE_OK(versions.status());
  Published by_job;
  for (const Version& version : *versions) {
    if (version.number == 0) continue;
    EXPECT_TRUE(by_job.emplace(version.train_job, version.number).second)
        << version.train_job << " published twice";
  }
  for (const auto& [id, version] : published) EXPECT_EQ(by_job.count(id), 1u) << id;
}

TEST_F(CrashTest, AJobWithoutProgressIsGivenUpAndTheNextOneRuns) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_SLUICE_OK(MakeModelAndDataset(*client_, "endless", 1'000'000));
  ASSERT_SLUICE_OK(MakeModelAndDataset(*client_, "m", 200));
  Client::TrainRequest request = TrainRequestFor("endless", 1000);
  request.config.batch_size = 1;  // Its first epoch takes long: there is no checkpoint before.
  const auto endless = client_->CreateTrainJob(request);
  ASSERT_SLUICE_OK(endless.status());
  const auto next = client_->CreateTrainJob(TrainRequestFor("m", 1));
  ASSERT_SLUICE_OK(next.status());
  for (int attempt = 1; attempt <= 3; ++attempt) {
    client_->WatchTrainJob(endless->id, 0, [attempt](const TrainUpdate& update) {
      EXPECT_NE(update.state, JobState::kFailed) << update.message;
      return update.attempt < attempt || update.state != JobState::kRunning;
    });
    server_.Kill();
    ASSERT_NO_FATAL_FAILURE(StartServer());
  }
  const auto given_up = client_->GetTrainJob(endless->id);
  ASSERT_SLUICE_OK(given_up.status());
  EXPECT_EQ(given_up->state, JobState::kFailed);
  EXPECT_NE(given_up->error.find("the server stopped 3 times"), std::string::npos)
      << given_up->error;
  WatchFrom(*client_, next->id, 0);
  EXPECT_EQ(client_->GetTrainJob(next->id)->state, JobState::kSucceeded);
}

}  // namespace
}  // namespace sluice::testing
