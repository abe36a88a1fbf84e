// Cancel, pause and resume, in every state.
#include <string>
#include <thread>

#include "server/jobs/job_state.h"
#include "tests/jobs/job_fixture.h"

namespace sluiced::jobs {
namespace {

using JobSignals = JobTest;

void ExpectRefused(const absl::StatusOr<JobRecord>& answer) {
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kFailedPrecondition) << answer.status();
}

TEST_F(JobSignals, AQueuedJobIsCancelledAtOnce) {
  StartManager();
  Create("runs");
  Create("waits");
  runs_.AwaitStarted(1);
  EXPECT_EQ(manager_->Cancel("waits")->state, JobState::kCancelled);
  EXPECT_EQ(AwaitEnd("waits"), JobState::kCancelled);
  EXPECT_TRUE(manager_->Get("waits")->end_time);
  EXPECT_EQ(manager_->QueuePosition("waits"), 0);
  runs_.Return("runs", Published());
  AwaitEnd("runs");
  EXPECT_EQ(runs_.Started().size(), 1u);
}

TEST_F(JobSignals, ARunningJobIsCancelledOnceItsRunReturns) {
  StartManager();
  Create("job-a");
  runs_.AwaitStarted(1);
  EXPECT_EQ(manager_->Cancel("job-a")->state, JobState::kCancelling);
  EXPECT_EQ(manager_->Cancel("job-a")->state, JobState::kCancelling);  // Again: no change.
  ExpectRefused(manager_->Pause("job-a"));
  ExpectRefused(manager_->Resume("job-a"));
  runs_.Do("job-a", [](RunContext& context) {
    EXPECT_EQ(context.signal(), Signal::kCancel);
    EXPECT_TRUE(context.AddUpdate("stopping").ok());
  });
  EXPECT_EQ(LastUpdate("job-a").state, JobState::kCancelling);
  runs_.Return("job-a", RunResult{std::nullopt, "last words"});
  const auto updates = Reader(*manager_, "job-a").ReadToEnd();
  EXPECT_EQ(updates.back().state, JobState::kCancelled);
  EXPECT_EQ(updates.back().payload, "last words");
}

// A change of state once was published after an update of the run that followed it.
TEST_F(JobSignals, ARunThatTellsMuchKeepsItsOrderWithACancellation) {
  StartManager();
  for (int round = 0; round < 50; ++round) {
    const std::string id = "job-" + std::to_string(round);
    Create(id);
    std::thread run([&] {
      runs_.Do(id, [](RunContext& context) {
        while (context.signal() != Signal::kCancel) EXPECT_TRUE(context.AddUpdate("more").ok());
        for (int i = 0; i < 20; ++i) EXPECT_TRUE(context.AddUpdate("and more").ok());
      });
    });
    runs_.AwaitStarted(static_cast<size_t>(round) + 1);
    EXPECT_TRUE(manager_->Cancel(id).ok());
    run.join();
    runs_.Return(id, Published());
    const auto updates = Reader(*manager_, id).ReadToEnd();
    for (size_t i = 1; i < updates.size(); ++i) {
      EXPECT_GT(updates[i].sequence, updates[i - 1].sequence);
    }
    EXPECT_EQ(updates.back().state, JobState::kCancelled);
  }
}

TEST_F(JobSignals, ACancelledRunPublishesNothingHoweverItReturns) {
  StartManager();
  for (const char* id : {"publishes", "errs"}) {
    const size_t before = runs_.Started().size();
    Create(id);
    runs_.AwaitStarted(before + 1);
    ASSERT_TRUE(manager_->Cancel(id).ok());
    if (id == std::string("errs")) {
      runs_.Return(id, absl::InternalError("x"));
    } else {
      runs_.Return(id, Published());
    }
    EXPECT_EQ(AwaitEnd(id), JobState::kCancelled);
  }
  EXPECT_EQ(store_->GetModel("wow")->latest_version, 0);
}

TEST_F(JobSignals, ARunningJobPausesAtItsCheckpointAndResumesFromIt) {
  StartManager();
  Create("job-a");
  runs_.AwaitStarted(1);
  EXPECT_EQ(manager_->Pause("job-a")->state, JobState::kRunning);
  EXPECT_EQ(manager_->Pause("job-a")->state, JobState::kRunning);  // Asked for already.
  ExpectRefused(manager_->Resume("job-a"));
  runs_.Do("job-a", [](RunContext& context) {
    EXPECT_EQ(context.signal(), Signal::kPause);
    EXPECT_TRUE(context.SaveCheckpoint("kept").ok());
  });
  EXPECT_EQ(StateOf("job-a"), JobState::kRunning);
  runs_.Return("job-a", RunResult{});
  AwaitState("job-a", JobState::kPaused);
  ExpectRefused(manager_->Pause("job-a"));

  // Its place is free, and it goes to the end of the queue.
  Create("b");
  Create("c");
  runs_.AwaitStarted(2);
  EXPECT_EQ(manager_->Resume("job-a")->state, JobState::kQueued);
  EXPECT_EQ(manager_->QueuePosition("job-a"), 2);
  runs_.Return("b", Published());
  runs_.Return("c", Published());
  runs_.Do("job-a", [](RunContext& context) {
    EXPECT_EQ(context.signal(), Signal::kContinue);
    EXPECT_EQ(context.LoadCheckpoint().value(), "kept");
  });
  EXPECT_EQ(runs_.RecordOfRun("job-a").attempt, 1);
  runs_.Return("job-a", Published());
  std::vector<JobState> states;
  for (const UpdateRecord& update : Reader(*manager_, "job-a").ReadToEnd()) {
    states.push_back(update.state);
  }
  EXPECT_EQ(states, (std::vector<JobState>{JobState::kRunning, JobState::kPaused, JobState::kQueued,
                                           JobState::kRunning, JobState::kSucceeded}));
}

TEST_F(JobSignals, AQueuedJobPausesAtOnceAndAPausedOneIsCancelledAtOnce) {
  StartManager();
  Create("runs");
  Create("waits");
  runs_.AwaitStarted(1);
  EXPECT_EQ(manager_->Pause("waits")->state, JobState::kPaused);
  EXPECT_EQ(manager_->QueuePosition("waits"), 0);
  EXPECT_EQ(manager_->Resume("waits")->state, JobState::kQueued);
  EXPECT_EQ(manager_->QueuePosition("waits"), 1);
  EXPECT_EQ(manager_->Pause("waits")->state, JobState::kPaused);
  EXPECT_EQ(manager_->Cancel("waits")->state, JobState::kCancelled);
  runs_.Return("runs", Published());
  AwaitEnd("runs");
}

TEST_F(JobSignals, ARunThatEndsBeforeItSeesThePauseSucceeds) {
  StartManager();
  Create("job-a");
  runs_.AwaitStarted(1);
  ASSERT_TRUE(manager_->Pause("job-a").ok());
  runs_.Return("job-a", Published());
  EXPECT_EQ(AwaitEnd("job-a"), JobState::kSucceeded);
}

TEST_F(JobSignals, ACancelOverridesAPause) {
  StartManager();
  Create("job-a");
  runs_.AwaitStarted(1);
  ASSERT_TRUE(manager_->Pause("job-a").ok());
  ASSERT_TRUE(manager_->Cancel("job-a").ok());
  runs_.AwaitSignal("job-a", Signal::kCancel);
  runs_.Return("job-a", RunResult{});
  EXPECT_EQ(AwaitEnd("job-a"), JobState::kCancelled);
}

TEST_F(JobSignals, EndedAndUnknownJobsAreRefused) {
  StartManager();
  Create("job-a");
  runs_.Return("job-a", Published());
  AwaitEnd("job-a");
  ExpectRefused(manager_->Cancel("job-a"));
  ExpectRefused(manager_->Pause("job-a"));
  ExpectRefused(manager_->Resume("job-a"));
  EXPECT_EQ(manager_->Cancel("none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(manager_->Pause("none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(manager_->Resume("none").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace sluiced::jobs
