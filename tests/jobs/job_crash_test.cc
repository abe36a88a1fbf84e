// Servers that die under their jobs.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>

#include "server/store/sqlite_store.h"
#include "tests/jobs/job_fixture.h"

namespace sluiced::jobs {
namespace {

// In the child process: runs jobs by `run`, one of which is to end the process.
[[noreturn]] void ServeUntilKilled(const std::string& data_dir, const RunFunction& run) {
  const auto store = store::OpenSqliteStore(data_dir);
  if (!store.ok()) _exit(1);
  const auto manager = JobManager::Create(store->get(), run, {});
  if (!manager.ok()) _exit(2);
  for (;;) pause();
}

class JobCrash : public JobTest {
 protected:
  using Act = std::function<void(RunContext&)>;

  void SetUp() override {
    JobTest::SetUp();
    store::MakeJob(*store_, "bad", "wow");
  }

  // A process of its own runs the first job until `act` has returned, and is killed.
  void Crash(const Act& act = [](RunContext&) {}) {
    StopManager();
    store_.reset();
    const pid_t child = fork();  // No thread of ours runs by now.
    ASSERT_GE(child, 0);
    if (child == 0) {
      ServeUntilKilled(dir_.path(),
                       [&act](const JobRecord&, RunContext& context) -> absl::StatusOr<RunResult> {
                         act(context);
                         raise(SIGKILL);
                         return RunResult{};
                       });
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    auto store = store::OpenSqliteStore(dir_.path());
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  // A process that stops in order while it runs the job.
  void StopInOrder() {
    StartManager();
    runs_.AwaitStarted(++orderly_);
    std::thread drain([this] { manager_->Drain(); });
    runs_.AwaitSignal("bad", Signal::kPause);
    runs_.Return("bad", RunResult{});
    drain.join();
  }

  void ExpectItRunsAs(int attempt) {
    StartManager();
    EXPECT_EQ(runs_.RecordOfRun("bad").attempt, attempt);
    runs_.Return("bad", Published());
    EXPECT_EQ(AwaitEnd("bad"), JobState::kSucceeded);
  }

  static void SaveACheckpoint(RunContext& context) {
    if (!context.SaveCheckpoint("kept").ok()) _exit(3);
  }

 private:
  size_t orderly_ = 0;
};

TEST_F(JobCrash, ThreeWithoutProgressFailTheJobAndTheNextOneRuns) {
  store::MakeJob(*store_, "good", "wow");
  for (int i = 0; i < 3; ++i) {
    ASSERT_NO_FATAL_FAILURE(Crash([](RunContext& context) {
      if (!context.AddUpdate("an epoch, and no checkpoint").ok()) _exit(3);
    }));
  }
  Options options;
  options.encode_error = [](const std::string& error) { return "{" + error + "}"; };
  StartManager(options);
  const JobRecord bad = manager_->Get("bad").value();
  EXPECT_EQ(bad.state, JobState::kFailed);
  EXPECT_EQ(bad.attempt, 3);
  EXPECT_TRUE(bad.end_time);
  EXPECT_NE(bad.error.find("the server stopped 3 times while running this job, without progress"),
            std::string::npos)
      << bad.error;
  EXPECT_EQ(LastUpdate("bad").payload, "{" + bad.error + "}");
  EXPECT_EQ(LastUpdate("bad").state, JobState::kFailed);
  EXPECT_EQ(runs_.RecordOfRun("good").attempt, 1);
  runs_.Return("good", Published());
  EXPECT_EQ(AwaitEnd("good"), JobState::kSucceeded);
  EXPECT_TRUE(manager_->Delete("bad").ok());
}

TEST_F(JobCrash, TwoWithoutProgressAreForgiven) {
  for (int i = 0; i < 2; ++i) ASSERT_NO_FATAL_FAILURE(Crash());
  ExpectItRunsAs(3);
}

TEST_F(JobCrash, ProgressInBetweenEndsTheCount) {
  for (int i = 0; i < 4; ++i) ASSERT_NO_FATAL_FAILURE(Crash(SaveACheckpoint));
  for (int i = 0; i < 2; ++i) ASSERT_NO_FATAL_FAILURE(Crash());
  ASSERT_NO_FATAL_FAILURE(Crash(SaveACheckpoint));
  for (int i = 0; i < 2; ++i) ASSERT_NO_FATAL_FAILURE(Crash());
  ExpectItRunsAs(10);
}

TEST_F(JobCrash, AnOrderlyStopIsNone) {
  for (int i = 0; i < 4; ++i) StopInOrder();
  for (int i = 0; i < 2; ++i) ASSERT_NO_FATAL_FAILURE(Crash());
  StopInOrder();
  for (int i = 0; i < 2; ++i) ASSERT_NO_FATAL_FAILURE(Crash());
  ExpectItRunsAs(10);
}

TEST_F(JobCrash, APauseEndsTheCountOfARunningJobAndKeepsThatOfAWaitingOne) {
  for (int i = 0; i < 2; ++i) ASSERT_NO_FATAL_FAILURE(Crash());
  StartManager();
  runs_.AwaitStarted(1);
  EXPECT_EQ(manager_->Get("bad")->stalled_attempts, 3);
  ASSERT_TRUE(manager_->Pause("bad").ok());
  runs_.Return("bad", RunResult{});
  AwaitState("bad", JobState::kPaused);
  EXPECT_EQ(manager_->Get("bad")->stalled_attempts, 0);

  JobRecord waits = store::MakeJob(*store_, "waits", "wow");
  waits.stalled_attempts = 2;
  waits.state = JobState::kPaused;
  ASSERT_TRUE(store_->SaveJob(waits, {}).ok());
  StartManager();
  ASSERT_TRUE(manager_->Resume("bad").ok());
  runs_.AwaitStarted(2);
  ASSERT_TRUE(manager_->Resume("waits").ok());
  ASSERT_TRUE(manager_->Pause("waits").ok());
  EXPECT_EQ(manager_->Get("waits")->stalled_attempts, 2);
  runs_.Return("bad", Published());
  AwaitEnd("bad");
}

// Two jobs ran when the server died: only one of them did it.
TEST_F(JobCrash, SuspectsRunAloneUntilTheyAreCleared) {
  for (const char* id : {"bad", "good", "third"}) {
    JobRecord job =
        id == std::string("bad") ? store_->GetJob(id).value() : store::MakeJob(*store_, id, "wow");
    if (job.id == "third") continue;  // It waited.
    job.state = JobState::kRunning;
    job.stalled_attempts = 1;
    ASSERT_TRUE(store_->SaveJob(job, {store::SomeUpdate(1)}).ok());
  }
  StartManager(Running(2));
  runs_.AwaitStarted(1);
  for (int i = 0; i < 1000; ++i) std::this_thread::yield();  // The other thread had its chance.
  EXPECT_EQ(runs_.Started(), std::vector<std::string>{"bad"});
  runs_.Do("bad", SaveACheckpoint);
  runs_.AwaitStarted(2);
  EXPECT_EQ(runs_.Started().back(), "good");
  // Beside an unsuspected job that has saved nothing yet it would have to wait as well.
  runs_.Return("bad", Published());
  AwaitEnd("bad");
  for (int i = 0; i < 1000; ++i) std::this_thread::yield();
  EXPECT_EQ(manager_->QueuePosition("third"), 1);
  runs_.Return("good", Published());
  AwaitEnd("good");
  runs_.Return("third", Published());
  EXPECT_EQ(AwaitEnd("third"), JobState::kSucceeded);
}

}  // namespace
}  // namespace sluiced::jobs
