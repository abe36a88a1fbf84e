// kill -9 at random moments of every other change: models made, imported, changed and
// deleted, versions deleted, aliases, datasets generated and deleted, jobs made, paused, resumed,
// cancelled and deleted, backups; while a job trains, updates are trimmed and ended jobs forgotten.
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/e2e/crash_fixture.h"
#include "tests/e2e/ledger.h"
#include "tests/support/written_file.h"

namespace sluice::testing {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kRows = 3000;
constexpr const char* kModels = "models/x-";
constexpr const char* kVersions = "models/base/versions/";
constexpr const char* kDatasets = "datasets/x-";
constexpr const char* kJobs = "trainJobs/x-";

std::string IdOf(const std::string& name) { return name.substr(name.find('/') + 1); }

// Every epoch has a checkpoint: no number of kills gives the job up.
const std::vector<std::string> kFlags = {
    "--checkpoint-interval", "0", "--keep-updates", "50", "--keep-ended-jobs", "0.0000001"};

struct Change {
  std::string name;
  std::optional<std::string> after;
  std::function<Status()> make;
};

class CrashChanges : public CrashTest {
 protected:
  // The job `blocker` runs all the time, so that those of the test wait.
  void MakeWhatTheOthersNeed() {
    ASSERT_SLUICE_OK(MakeModelAndDataset(*client_, "base", 300));
    ASSERT_NO_FATAL_FAILURE(MakeVersions(3 * Rounds()));
    Client::TrainRequest request = TrainRequestFor("base", 1'000'000);
    request.job_id = "blocker";
    ASSERT_SLUICE_OK(client_->CreateTrainJob(request).status());
    const auto file = client_->ExportModel("base");
    ASSERT_SLUICE_OK(file.status());
    exported_ = *file;
    ASSERT_NO_FATAL_FAILURE(AwaitCheckpoint());
  }

  // Of `base`, to be deleted; and a later one, which stays.
  void MakeVersions(int64_t count) {
    for (int64_t i = 0; i <= count; ++i) {
      const auto job = client_->CreateTrainJob(TrainRequestFor("base", 1));
      ASSERT_SLUICE_OK(job.status());
      ASSERT_SLUICE_OK(client_->WatchTrainJob(job->id, 0, [](const TrainUpdate&) { return true; }));
      ASSERT_SLUICE_OK(client_->DeleteTrainJob(job->id));
      if (i == count) break;
      ledger_.Begin(kVersions + std::to_string(i + 1), "there");
      ledger_.Acknowledge();
    }
    last_version_ = count + 1;
  }

  // The second epoch of an attempt begins after the checkpoint of the first.
  void AwaitCheckpoint() {
    const auto job = client_->GetTrainJob("blocker");
    ASSERT_SLUICE_OK(job.status());
    int epochs = 0;
    const Status watched =
        client_->WatchTrainJob("blocker", job->last_sequence, [&](const TrainUpdate& update) {
          epochs += update.train_loss ? 1 : 0;
          return epochs < 2;
        });
    ASSERT_EQ(watched.code, Code::kCancelled) << watched.ToString();
  }

  size_t Random(size_t count) {
    return std::uniform_int_distribution<size_t>(0, count - 1)(choice_);
  }
  std::string Fresh(const char* collection) { return collection + std::to_string(++made_); }
  // One of them, or "" of none.
  std::string AnyOf(const std::vector<std::string>& names) {
    return names.empty() ? "" : names[Random(names.size())];
  }

  Change CreateModel() {
    const std::string name = Fresh(kModels);
    return {name, "new ", [this, name] {
              return client_
                  ->CreateModel(IdOf(name), SmallFlow(),
                                {.seed = 1, .description = "new", .labels = {}})
                  .status();
            }};
  }
  Change ImportModel() {
    const std::string name = Fresh(kModels);
    return {name, "imported ", [this, name] {
              return client_->ImportModel(IdOf(name), exported_, "imported").status();
            }};
  }
  Change ChangeModel(const std::string& name) {
    const std::string& now = ledger_.settled().at(name);
    const std::string alias = now.substr(now.find(' '));
    const std::string description = "changed-" + std::to_string(++made_);
    return {name, description + alias, [this, name, description] {
              return client_->UpdateModel(IdOf(name), description, std::nullopt).status();
            }};
  }
  Change ChangeAlias(const std::string& name) {
    const std::string& now = ledger_.settled().at(name);
    const std::string description = now.substr(0, now.find(' ') + 1);
    if (now.ends_with("best")) {
      return {name, description,
              [this, name] { return client_->DeleteAlias(IdOf(name), "best").status(); }};
    }
    return {name, description + "best",
            [this, name] { return client_->SetAlias(IdOf(name), "best", 0).status(); }};
  }
  Change DeleteModel(const std::string& name) {
    return {name, std::nullopt, [this, name] { return client_->DeleteModel(IdOf(name)); }};
  }
  Change DeleteVersion(const std::string& name) {
    const std::string version = "base@" + name.substr(name.rfind('/') + 1);
    return {name, std::nullopt, [this, version] { return client_->DeleteVersion(version); }};
  }
  Change GenerateDataset() {
    const std::string name = Fresh(kDatasets);
    return {name, std::to_string(kRows), [this, name] {
              return client_->GenerateDataset(IdOf(name), "swiss-roll", kRows, 1, std::nullopt, "")
                  .status();
            }};
  }
  Change DeleteDataset(const std::string& name) {
    return {name, std::nullopt, [this, name] { return client_->DeleteDataset(IdOf(name)); }};
  }
  Change CreateJob() {
    const std::string name = Fresh(kJobs);
    return {name, NameOf(JobState::kQueued), [this, name] {
              Client::TrainRequest request = TrainRequestFor("base", 1);
              request.job_id = IdOf(name);
              return client_->CreateTrainJob(request).status();
            }};
  }
  Change MoveJob(const std::string& name, JobState to) {
    return {name, NameOf(to), [this, name, to] {
              const std::string id = IdOf(name);
              if (to == JobState::kPaused) return client_->PauseTrainJob(id).status();
              if (to == JobState::kQueued) return client_->ResumeTrainJob(id).status();
              return client_->CancelTrainJob(id).status();
            }};
  }
  Change DeleteJob(const std::string& name) {
    return {name, std::nullopt, [this, name] { return client_->DeleteTrainJob(IdOf(name)); }};
  }

  // Nothing where there is nothing to make this change to.
  std::optional<Change> AnyChange() {
    const std::string model = AnyOf(ledger_.Names(kModels));
    const std::string version = AnyOf(ledger_.Names(kVersions));
    const std::string dataset = AnyOf(ledger_.Names(kDatasets));
    const std::string queued = AnyOf(ledger_.Names(kJobs, NameOf(JobState::kQueued)));
    const std::string paused = AnyOf(ledger_.Names(kJobs, NameOf(JobState::kPaused)));
    const std::string cancelled = AnyOf(ledger_.Names(kJobs, NameOf(JobState::kCancelled)));
    const std::vector<std::pair<bool, std::function<Change()>>> changes = {
        {true, [&] { return CreateModel(); }},
        {true, [&] { return ImportModel(); }},
        {!model.empty(), [&] { return ChangeModel(model); }},
        {!model.empty(), [&] { return ChangeAlias(model); }},
        {!model.empty(), [&] { return DeleteModel(model); }},
        {!version.empty(), [&] { return DeleteVersion(version); }},
        {true, [&] { return GenerateDataset(); }},
        {!dataset.empty(), [&] { return DeleteDataset(dataset); }},
        {true, [&] { return CreateJob(); }},
        {!queued.empty(), [&] { return MoveJob(queued, JobState::kPaused); }},
        {!paused.empty(), [&] { return MoveJob(paused, JobState::kQueued); }},
        {!queued.empty(), [&] { return MoveJob(queued, JobState::kCancelled); }},
        {!cancelled.empty(), [&] { return DeleteJob(cancelled); }}};
    const auto& [possible, make] = changes[Random(changes.size())];
    if (!possible) return std::nullopt;
    return make();
  }

  // False when the server is gone. Any other error is none of a kill's.
  bool Make(const Change& change) {
    ledger_.Begin(change.name, change.after);
    const Status status = change.make();
    if (status.ok()) {
      ledger_.Acknowledge();
      ++acknowledged_;
    }
    EXPECT_TRUE(status.ok() || status.code == Code::kUnavailable)
        << change.name << " to " << change.after.value_or("absent") << ": " << status.ToString();
    return status.ok();
  }

  bool BackUp() {
    std::string file;
    const Status status = client_->Backup([&file](const Client::BackupPart& part) {
      file += part.bytes;
      return Status{};
    });
    if (!status.ok()) return false;
    backup_ = {std::move(file), ledger_.settled()};
    ++backups_;
    return true;
  }

  void ChangeUntilKilled() {
    for (bool there = true; there;) {
      if (Random(14) == 0) {
        there = BackUp();
      } else if (const auto change = AnyChange()) {
        there = Make(*change);
      }
    }
  }

  void AddVersions(Client& client, Holdings* held) const {
    const auto versions = client.ListVersions("base");
    ASSERT_SLUICE_OK(versions.status());
    for (const Version& version : *versions) {
      if (version.number == 0 || version.number == last_version_) continue;
      (*held)[kVersions + std::to_string(version.number)] = "there";
      const auto scores =
          client.LogProb("base@" + std::to_string(version.number), CountingRows(2, 3, -1));
      EXPECT_TRUE(scores.ok() && std::isfinite(scores->log_prob[1])) << version.number;
    }
  }
  static void AddModels(Client& client, Holdings* held) {
    const auto models = client.ListModels();
    ASSERT_SLUICE_OK(models.status());
    for (const Model& model : *models) {
      if (model.id == "base") continue;
      const std::string alias = model.aliases.contains("best") ? " best" : " ";
      (*held)["models/" + model.id] = model.description + alias;
      const auto scores = client.LogProb(model.id, CountingRows(2, 3, -1));
      EXPECT_TRUE(scores.ok() && std::isfinite(scores->log_prob[1])) << model.id;
    }
  }
  static void AddDatasets(Client& client, Holdings* held) {
    const auto datasets = client.ListDatasets();
    ASSERT_SLUICE_OK(datasets.status());
    std::string hash;
    for (const Dataset& dataset : *datasets) {
      if (dataset.id == "base") continue;
      (*held)["datasets/" + dataset.id] = std::to_string(dataset.rows);
      if (hash.empty()) hash = dataset.hash;
      EXPECT_EQ(dataset.hash, hash) << dataset.id;
      const auto rows = client.DownloadDataset(dataset.id);
      EXPECT_TRUE(rows.ok() && rows->rows == kRows) << dataset.id;
    }
  }
  static void AddJobs(Client& client, Holdings* held) {
    const auto jobs = client.ListTrainJobs("");
    ASSERT_SLUICE_OK(jobs.status());
    for (const TrainJob& job : *jobs) {
      if (job.id != "blocker") (*held)["trainJobs/" + job.id] = NameOf(job.state);
    }
  }
  Holdings HeldBy(Client& client) const {
    Holdings held;
    AddVersions(client, &held);
    AddModels(client, &held);
    AddDatasets(client, &held);
    AddJobs(client, &held);
    return held;
  }

  void ExpectSettled() {
    for (const std::string& wrong : ledger_.Compare(HeldBy(*client_))) ADD_FAILURE() << wrong;
    EXPECT_FALSE(std::filesystem::exists(dir_.path() + "/backup.tmp"));
  }

  std::mt19937_64 choice_{7};
  int64_t made_ = 0;  // Names.
  int64_t acknowledged_ = 0;
  int64_t last_version_ = 0;
  std::string exported_;
  Ledger ledger_;
  std::pair<std::string, Holdings> backup_;  // The last one, and what it must hold.
  int64_t backups_ = 0;
};

TEST_F(CrashChanges, WhatWasAcknowledgedStaysAndTheRestIsWholeOrAbsent) {
  ASSERT_NO_FATAL_FAILURE(StartServer(kFlags));
  ASSERT_NO_FATAL_FAILURE(MakeWhatTheOthersNeed());
  for (int64_t round = 0; round < Rounds() && !HasFailure(); ++round) {
    KillDuring(milliseconds(400), [this] { ChangeUntilKilled(); });
    ASSERT_NO_FATAL_FAILURE(StartServer(kFlags));
    ASSERT_NO_FATAL_FAILURE(AwaitCheckpoint());
    ExpectSettled();
  }
  EXPECT_GT(acknowledged_, Rounds()) << "the kills leave time for changes";
  while (backups_ == 0) ASSERT_TRUE(BackUp());
  server_.Kill();
  std::cout << acknowledged_ << " changes and " << backups_ << " backups acknowledged\n";

  const TempDir other;
  WriteText(other.path() + "/file", backup_.first);
  ASSERT_TRUE(server_.Start(
      {.data_dir = other.path() + "/data", .flags = {"--restore", other.path() + "/file"}}))
      << server_.Log();
  EXPECT_EQ(HeldBy(*server_.Connect()), backup_.second);
}

}  // namespace
}  // namespace sluice::testing
