// Draining, restarts, and a store that refuses to write.
#include <atomic>
#include <thread>
#include <utility>

#include "server/common/errors.h"
#include "server/store/sqlite_store_impl.h"
#include "tests/jobs/job_fixture.h"

namespace sluiced::jobs {
namespace {

using JobRestart = JobTest;

TEST_F(JobRestart, DrainLeavesRunningJobsToTheNextProcess) {
  StartManager();
  Create("job-a");
  Create("job-b");
  runs_.AwaitStarted(1);
  Reader reader(*manager_, "job-a");
  std::thread drain([this] { manager_->Drain(); });
  runs_.AwaitSignal("job-a", Signal::kPause);
  JobRecord more;
  more.model = "wow";
  const absl::Status refused = manager_->Create(more).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryDelayOf(refused));
  runs_.Do("job-a", [](RunContext& context) { EXPECT_TRUE(context.SaveCheckpoint("kept").ok()); });
  runs_.Return("job-a", RunResult{});
  drain.join();
  EXPECT_EQ(store_->GetJob("job-a")->state, JobState::kQueued);
  EXPECT_FALSE(store_->GetJob("job-a")->end_time);

  StartManager();
  runs_.Do("job-a", [](RunContext& context) {
    EXPECT_EQ(context.signal(), Signal::kContinue);
    EXPECT_EQ(context.LoadCheckpoint().value(), "kept");
  });
  EXPECT_EQ(runs_.RecordOfRun("job-a").attempt, 2);
  EXPECT_EQ(manager_->QueuePosition("job-b"), 1);
  runs_.Return("job-a", Published());
  EXPECT_EQ(AwaitEnd("job-a"), JobState::kSucceeded);
  runs_.Return("job-b", Published());
  AwaitEnd("job-b");
  EXPECT_EQ(manager_->Get("job-b")->attempt, 1);
}

TEST_F(JobRestart, DrainKeepsCancelsAndPausesThatWereAskedFor) {
  StartManager(Running(2));
  Create("cancels");
  Create("pauses");
  runs_.AwaitStarted(2);
  ASSERT_TRUE(manager_->Cancel("cancels").ok());
  ASSERT_TRUE(manager_->Pause("pauses").ok());
  std::thread drain([this] { manager_->Drain(); });
  runs_.AwaitSignal("cancels", Signal::kCancel);
  runs_.Return("cancels", RunResult{});
  runs_.Return("pauses", RunResult{});
  drain.join();
  EXPECT_EQ(store_->GetJob("cancels")->state, JobState::kCancelled);
  EXPECT_EQ(store_->GetJob("pauses")->state, JobState::kPaused);
}

TEST_F(JobRestart, TakesUpWhatAKilledProcessLeft) {
  const std::pair<const char*, JobState> left[] = {{"ran", JobState::kRunning},
                                                   {"cancelled", JobState::kCancelling},
                                                   {"paused", JobState::kPaused},
                                                   {"queued", JobState::kQueued}};
  for (const auto& [id, state] : left) {
    JobRecord job = store::MakeJob(*store_, id, "wow");
    job.state = state;
    job.attempt = state == JobState::kQueued ? 0 : 1;
    ASSERT_TRUE(store_->SaveJob(job, {store::SomeUpdate(1, state)}).ok());
  }
  StartManager();
  EXPECT_EQ(StateOf("cancelled"), JobState::kCancelled);
  EXPECT_EQ(StateOf("paused"), JobState::kPaused);
  EXPECT_EQ(runs_.RecordOfRun("ran").attempt, 2);
  EXPECT_EQ(manager_->QueuePosition("queued"), 1);
  runs_.Return("ran", Published());
  const auto updates = Reader(*manager_, "ran", 1).ReadToEnd();
  ASSERT_EQ(updates.size(), 3u);
  EXPECT_EQ(updates[0].state, JobState::kQueued);
  EXPECT_EQ(updates[0].attempt, 1);
  EXPECT_EQ(updates[1].state, JobState::kRunning);
  EXPECT_EQ(updates[1].attempt, 2);
  runs_.Return("queued", Published());
  AwaitEnd("queued");
  ASSERT_TRUE(manager_->Resume("paused").ok());
  EXPECT_EQ(runs_.RecordOfRun("paused").attempt, 2);
  runs_.Return("paused", Published());
  AwaitEnd("paused");
}

// Refuses state changes while told to, as a full disk would.
class RefusingStore : public store::SqliteStore {
 public:
  using SqliteStore::SqliteStore;
  absl::Status SaveJob(const JobRecord& job, const std::vector<UpdateRecord>& updates) override {
    if (!refuse) return SqliteStore::SaveJob(job, updates);
    ++refused;
    return Exhausted("the disk is full", absl::Seconds(1));
  }
  std::atomic<bool> refuse = false;
  std::atomic<int> refused = 0;

  void AwaitRefused(int count) {
    while (refused < count) std::this_thread::yield();
  }
};

class JobsOnAFullDisk : public JobTest {
 protected:
  void SetUp() override {
    auto lock = store::DataDirLock::Acquire(dir_.path());
    ASSERT_TRUE(lock.ok());
    auto store = std::make_unique<RefusingStore>(*std::move(lock), dir_.path());
    ASSERT_TRUE(store->Start().ok());
    refusing_ = store.get();
    store_ = std::move(store);
    store::MakeModel(*store_, "wow");
    Options options;
    options.save_retry = absl::Milliseconds(1);
    StartManager(options);
  }
  RefusingStore* refusing_ = nullptr;
};

TEST_F(JobsOnAFullDisk, AQueuedJobKeepsItsPlaceUntilItCanStart) {
  refusing_->refuse = true;
  Create("job-a");
  refusing_->AwaitRefused(3);
  EXPECT_EQ(StateOf("job-a"), JobState::kQueued);
  EXPECT_EQ(manager_->QueuePosition("job-a"), 1);
  EXPECT_EQ(manager_->Cancel("job-a").status().code(), absl::StatusCode::kResourceExhausted);
  refusing_->refuse = false;
  runs_.Return("job-a", Published());
  EXPECT_EQ(AwaitEnd("job-a"), JobState::kSucceeded);
}

TEST_F(JobsOnAFullDisk, AnEndIsSavedAsSoonAsItCanBe) {
  Create("job-a");
  runs_.AwaitStarted(1);
  refusing_->refuse = true;
  runs_.Return("job-a", absl::ResourceExhaustedError("the disk is full"));
  refusing_->AwaitRefused(3);
  EXPECT_EQ(StateOf("job-a"), JobState::kRunning);
  refusing_->refuse = false;
  EXPECT_EQ(AwaitEnd("job-a"), JobState::kFailed);
}

TEST_F(JobsOnAFullDisk, AnEndThatIsNeverSavedIsTakenUpByTheNextProcess) {
  Create("job-a");
  runs_.AwaitStarted(1);
  refusing_->refuse = true;
  runs_.Return("job-a", absl::ResourceExhaustedError("the disk is full"));
  refusing_->AwaitRefused(1);
  StopManager();
  refusing_->refuse = false;
  StartManager();
  EXPECT_EQ(runs_.RecordOfRun("job-a").attempt, 2);
  runs_.Return("job-a", Published());
  EXPECT_EQ(AwaitEnd("job-a"), JobState::kSucceeded);
}

}  // namespace
}  // namespace sluiced::jobs
