// kill -9 at random moments: what was acknowledged is there, what was not is
// there whole or not at all.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <random>
#include <sstream>

#include "tests/store/store_contract.h"

namespace sluiced::store {
namespace {

constexpr int kRounds = 30;
constexpr int kChunks = 5;
constexpr size_t kChunkBytes = 100'000;

std::string Bulk(const std::string& id) { return std::string(kChunkBytes, id.back()); }

// Writes until it is killed, saying on `out` what has been acknowledged. Ids are
// unique by `round` and a count.
class Writer {
 public:
  Writer(Store* store, int round, int out) : store_(store), round_(round), out_(out) {}

  void WriteForever() {
    for (int count = 0;; ++count) {
      const std::string id = std::to_string(round_) + "-" + std::to_string(count);
      const ModelRecord model = SomeModel("m" + id);
      Require(store_->CreateModel(model, SomeVersion(model.id), Bulk(id)).ok());
      Say("model " + id);
      Require(store_
                  ->CreateDataset(SomeDataset("d" + id),
                                  Chunks(std::vector<std::string>(kChunks, Bulk(id))))
                  .ok());
      Say("dataset " + id);
      WriteJob(id);
    }
  }

 private:
  void WriteJob(const std::string& id) {
    auto job = store_->CreateJob(SomeJob("j" + id, "m" + id));
    Require(job.ok());
    for (int64_t sequence = 1; sequence <= 20; ++sequence) {
      Require(store_->AppendUpdates(job->id, {SomeUpdate(sequence)}).ok());
      Say("update " + id + " " + std::to_string(sequence));
    }
    job->state = JobState::kSucceeded;
    Require(store_
                ->FinishJob(*job, {SomeUpdate(21, job->state)},
                            {SomeVersion("m" + id), Bulk(id), Bulk(id)})
                .ok());
    Say("finished " + id);
  }
  void Say(const std::string& line) {
    const std::string text = line + "\n";
    Require(write(out_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  static void Require(bool condition) {
    if (!condition) _exit(1);
  }

  Store* const store_;
  const int round_;
  const int out_;
};

// Kills a fresh writer once it has acknowledged `lines` lines and `extra` more
// microseconds have passed; returns all it acknowledged.
std::string WriteAndKill(const Backend& backend, const std::string& dir, int round, int lines,
                         int extra) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    auto store = backend.open(dir);
    if (!store.ok()) _exit(2);
    Writer(store->get(), round, ends[1]).WriteForever();
  }
  close(ends[1]);
  std::unique_ptr<FILE, int (*)(FILE*)> in(fdopen(ends[0], "r"), fclose);
  std::string acknowledged;
  int seen = 0;
  bool killed = false;
  for (int c = std::fgetc(in.get()); c != EOF; c = std::fgetc(in.get())) {
    acknowledged += static_cast<char>(c);
    if (c == '\n' && ++seen >= lines && !killed) {
      usleep(static_cast<useconds_t>(extra));  // The random moment itself.
      kill(child, SIGKILL);
      killed = true;
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the writer failed: " << WEXITSTATUS(status);
  return acknowledged.substr(0, acknowledged.rfind('\n') + 1);
}

void ExpectAcknowledged(Store& store, const std::string& acknowledged) {
  std::istringstream lines(acknowledged);
  std::string what, id;
  while (lines >> what >> id) {
    if (what == "model") {
      EXPECT_TRUE(store.GetModel("m" + id).ok()) << id;
    } else if (what == "dataset") {
      EXPECT_TRUE(store.GetDataset("d" + id).ok()) << id;
    } else if (what == "finished") {
      EXPECT_EQ(store.GetJob("j" + id)->state, JobState::kSucceeded) << id;
    } else {
      int64_t sequence = 0;
      lines >> sequence;
      EXPECT_GE(store.GetJob("j" + id)->last_sequence, sequence) << id;
    }
  }
}

void ExpectJobWhole(Store& store, const JobRecord& job) {
  const std::string id = job.id.substr(1);
  const bool finished = job.state == JobState::kSucceeded;
  EXPECT_EQ(store.GetModel("m" + id)->latest_version, finished ? 1 : 0) << id;
  EXPECT_EQ(job.version, finished ? 1 : -1) << id;
  EXPECT_EQ(store.GetCheckpoint(job.id).value(), finished ? Bulk(id) : "") << id;
  EXPECT_EQ(store.ListUpdates(job.id, 0, 100)->size(), static_cast<size_t>(job.last_sequence));
  if (finished) {
    EXPECT_EQ(job.last_sequence, 21);
    EXPECT_EQ(store.GetParameters("m" + id, 1).value(), Bulk(id));
  }
}

void ExpectAllWhole(Store& store) {
  const auto models = store.ListModels(Page{100'000, ""}).value();
  for (const ModelRecord& model : models) {
    EXPECT_EQ(store.GetParameters(model.id, 0).value(), Bulk(model.id));
    EXPECT_EQ(model.labels, SomeModel(model.id).labels);
  }
  const auto datasets = store.ListDatasets(Page{100'000, ""}).value();
  for (const DatasetRecord& dataset : datasets) {
    for (int i = 0; i < kChunks; ++i) {
      EXPECT_EQ(store.GetDatasetChunk(dataset.id, i).value(), Bulk(dataset.id));
    }
  }
  const auto jobs = store.ListJobs(Page{100'000, ""}, "").value();
  for (const JobRecord& job : jobs) {
    ExpectJobWhole(store, job);
  }
}

class StoreKill : public ::testing::TestWithParam<Backend> {};

TEST_P(StoreKill, LosesNothingAcknowledgedAndShowsNothingHalfWritten) {
  TempDir dir;
  std::mt19937 random(1);
  std::string acknowledged;
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    const int lines = std::uniform_int_distribution<int>(1, 40)(random);
    const int extra = std::uniform_int_distribution<int>(0, 3000)(random);
    acknowledged += WriteAndKill(GetParam(), dir.path(), round, lines, extra);
    auto store = GetParam().open(dir.path());
    ASSERT_TRUE(store.ok()) << store.status();
    ExpectAcknowledged(**store, acknowledged);
    ExpectAllWhole(**store);
  }
}

INSTANTIATE_TEST_SUITE_P(AllBackends, StoreKill, ::testing::ValuesIn(AllBackends()), BackendName);

}  // namespace
}  // namespace sluiced::store
