// The queue: creation, order, limits, ends.
#include "server/jobs/job_manager.h"

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "server/common/errors.h"
#include "server/common/resource_id.h"
#include "server/jobs/job_state.h"
#include "tests/jobs/job_fixture.h"

namespace sluiced::jobs {
namespace {

using JobManagerTest = JobTest;

TEST_F(JobManagerTest, RunsAJobToItsPublication) {
  std::vector<std::string> published;
  Options options;
  options.on_published = [&](const std::string& model, int64_t version) {
    published.push_back(model + " " + std::to_string(version));
  };
  StartManager(options);
  Create("job-a");
  runs_.Do("job-a", [](RunContext& context) {
    EXPECT_EQ(context.signal(), Signal::kContinue);
    EXPECT_EQ(context.LoadCheckpoint().value(), "");
    EXPECT_TRUE(context.AddUpdate("half").ok());
    EXPECT_TRUE(context.SaveCheckpoint("at half").ok());
    EXPECT_EQ(context.LoadCheckpoint().value(), "at half");
    EXPECT_TRUE(context.SaveSnapshot(1, "s").ok());
  });
  EXPECT_EQ(StateOf("job-a"), JobState::kRunning);
  EXPECT_EQ(LastUpdate("job-a").payload, "half");
  runs_.Return("job-a", Published());

  const auto updates = Reader(*manager_, "job-a").ReadToEnd();
  ASSERT_EQ(updates.size(), 3u);
  EXPECT_EQ(published, std::vector<std::string>{"wow 1"});  // Before the end was seen.
  const JobState states[] = {JobState::kRunning, JobState::kRunning, JobState::kSucceeded};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(updates[i].sequence, i + 1);
    EXPECT_EQ(updates[i].state, states[i]);
    EXPECT_EQ(updates[i].attempt, 1);
  }
  EXPECT_EQ(updates[0].payload, "");
  EXPECT_EQ(updates[2].payload, "done");
  const JobRecord job = manager_->Get("job-a").value();
  EXPECT_EQ(job.version, 1);
  EXPECT_EQ(job.attempt, 1);
  EXPECT_TRUE(job.start_time && job.end_time && *job.start_time <= *job.end_time);
  EXPECT_EQ(store_->GetParameters("wow", 1).value(), "trained");
}

TEST_F(JobManagerTest, RunsInOrderAndNoMoreAtOnceThanAllowed) {
  StartManager(Running(2));
  const std::vector<std::string> ids = {"e", "d", "c", "b", "a"};
  for (const std::string& id : ids) Create(id);
  runs_.AwaitStarted(2);
  EXPECT_EQ(manager_->QueuePosition("e"), 0);
  EXPECT_EQ(manager_->QueuePosition("c"), 1);
  EXPECT_EQ(manager_->QueuePosition("a"), 3);
  EXPECT_EQ(manager_->QueuePosition("none"), 0);
  for (size_t i = 0; i < ids.size(); ++i) {
    runs_.Return(ids[i], Published());
    EXPECT_EQ(AwaitEnd(ids[i]), JobState::kSucceeded);
    // Of the two that run, the other one stays; the next in order comes in.
    runs_.AwaitStarted(std::min(ids.size(), i + 3));
  }
  auto started = runs_.Started();
  std::sort(started.begin(), started.begin() + 2, std::greater<>());  // These start together.
  EXPECT_EQ(started, ids);
  EXPECT_EQ(runs_.MostAtOnce(), 2);
}

TEST_F(JobManagerTest, CountsJobsByState) {
  StartManager(Running(1));
  for (const char* id : {"a", "b", "c"}) Create(id);
  runs_.AwaitStarted(1);
  ASSERT_TRUE(manager_->Cancel("c").ok());
  JobManager::Counts counts = manager_->Count();
  EXPECT_EQ(counts.unfinished[JobState::kRunning], 1);
  EXPECT_EQ(counts.unfinished[JobState::kQueued], 1);
  EXPECT_EQ(counts.queued, 1);
  EXPECT_EQ(counts.ended[JobState::kCancelled], 1);
  EXPECT_EQ(counts.ended.at(JobState::kFailed), 0);
  runs_.Return("a", Published());
  runs_.Return("b", absl::InternalError("no"));
  AwaitEnd("a");
  AwaitEnd("b");
  counts = manager_->Count();
  EXPECT_EQ(counts.unfinished.at(JobState::kRunning), 0);
  EXPECT_EQ(counts.ended[JobState::kSucceeded], 1);
  EXPECT_EQ(counts.ended[JobState::kFailed], 1);
}

TEST_F(JobManagerTest, AFullQueueIsExhaustedButAnswersARepeatedRequest) {
  Options options;
  options.max_queued = 1;
  StartManager(options);
  Create("runs");
  runs_.AwaitStarted(1);
  JobRecord job;
  job.model = "wow";
  job.request_id = "r";
  const std::string waits = manager_->Create(job).value().id;
  JobRecord other;
  other.model = "wow";
  const absl::Status full = manager_->Create(other).status();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(RetryDelayOf(full));
  EXPECT_EQ(manager_->Create(job)->id, waits);
  ASSERT_TRUE(manager_->Cancel(waits).ok());
  EXPECT_EQ(manager_->Create(job)->state, JobState::kCancelled);  // The same job still.
  runs_.Return("runs", Published());
  AwaitEnd("runs");
}

TEST_F(JobManagerTest, WhatRunsTogetherFitsIntoMemory) {
  Options options = Running(3);
  options.max_memory = 10;
  options.memory_of = [](const JobRecord& job) { return int64_t{std::stoi(job.payload)}; };
  StartManager(options);
  const auto create = [this](const std::string& id, const std::string& bytes) {
    JobRecord job;
    job.id = id;
    job.model = "wow";
    job.payload = bytes;
    return manager_->Create(job).status();
  };
  const absl::Status large = create("large", "11");
  EXPECT_EQ(large.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(large)->code, "JOB_MEMORY");
  EXPECT_FALSE(RetryDelayOf(large));  // It would not help.
  ASSERT_TRUE(create("a", "4").ok());
  ASSERT_TRUE(create("b", "7").ok());
  ASSERT_TRUE(create("c", "1").ok());  // Would fit, but its turn is after b's.
  runs_.AwaitStarted(1);
  EXPECT_EQ(manager_->QueuePosition("b"), 1);
  EXPECT_EQ(manager_->Count().memory, 4);
  runs_.Return("a", Published());
  runs_.AwaitStarted(3);
  EXPECT_EQ(manager_->Count().memory, 8);
  EXPECT_EQ(manager_->Count().max_memory, 10);
  ASSERT_TRUE(create("d", "9").ok());
  ASSERT_TRUE(create("e", "2").ok());
  ASSERT_TRUE(manager_->Cancel("d").ok());  // Which kept e from starting.
  runs_.AwaitStarted(4);
  runs_.Return("e", Published());
  for (const char* id : {"b", "c"}) runs_.Return(id, Published());
  for (const char* id : {"a", "b", "c"}) EXPECT_EQ(AwaitEnd(id), JobState::kSucceeded);
}

TEST_F(JobManagerTest, NamesJobsAndChecksNames) {
  StartManager();
  runs_.AwaitStarted(0);
  const JobRecord a = Create("");
  const JobRecord b = Create("");
  EXPECT_NE(a.id, b.id);
  EXPECT_EQ(a.id.substr(0, 4), "job-");
  EXPECT_TRUE(CheckId("id", a.id).ok());
  JobRecord job;
  job.model = "wow";
  for (const char* bad : {"UPPER", "a/b", "-a", "a\n"}) {
    job.id = bad;
    const absl::Status refused = manager_->Create(job).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_EQ(FieldOf(refused), "train_job_id");
  }
  job.id = a.id;
  EXPECT_EQ(manager_->Create(job).status().code(), absl::StatusCode::kAlreadyExists);
  job.id = "fresh";
  job.model = "none";
  EXPECT_EQ(manager_->Create(job).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(manager_->Cancel(b.id).ok());
  runs_.Return(a.id, Published());
  AwaitEnd(a.id);
}

TEST_F(JobManagerTest, TakesOnlyWhatACallerMaySay) {
  StartManager();
  JobRecord job;
  job.id = "job-a";
  job.model = "wow";
  job.payload = "what to do";
  job.state = JobState::kSucceeded;
  job.attempt = 7;
  job.version = 3;
  job.error = "x";
  const JobRecord created = manager_->Create(job).value();
  EXPECT_EQ(created.state, JobState::kQueued);
  EXPECT_EQ(created.attempt, 0);
  EXPECT_EQ(created.version, -1);
  EXPECT_EQ(created.error, "");
  EXPECT_EQ(runs_.RecordOfRun("job-a").payload, "what to do");
  runs_.Return("job-a", Published());
  AwaitEnd("job-a");
}

TEST_F(JobManagerTest, AnErrorIsAFailedJobWithItsReason) {
  StartManager();
  Create("job-a");
  runs_.Return("job-a", absl::InvalidArgumentError("no such target"));
  const auto updates = Reader(*manager_, "job-a").ReadToEnd();
  EXPECT_EQ(updates.back().state, JobState::kFailed);
  EXPECT_EQ(updates.back().payload, "no such target");
  EXPECT_EQ(manager_->Get("job-a")->error, "no such target");
}

TEST_F(JobManagerTest, TheOwnerSaysHowAnErrorIsWrittenInAnUpdate) {
  Options options;
  options.encode_error = [](const std::string& error) { return "{" + error + "}"; };
  StartManager(options);
  Create("job-a");
  runs_.Return("job-a", absl::InternalError("why"));
  EXPECT_EQ(Reader(*manager_, "job-a").ReadToEnd().back().payload, "{why}");
}

TEST_F(JobManagerTest, ARunThatThrowsOrStopsUnaskedFails) {
  auto manager =
      JobManager::Create(store_.get(),
                         [](const JobRecord& job, RunContext&) -> absl::StatusOr<RunResult> {
                           if (job.id == "throws") throw std::runtime_error("thrown");
                           return RunResult{};
                         },
                         {});
  ASSERT_TRUE(manager.ok());
  manager_ = *std::move(manager);
  Create("throws");
  Create("stops");
  EXPECT_EQ(AwaitEnd("throws"), JobState::kFailed);
  EXPECT_EQ(manager_->Get("throws")->error, "thrown");
  EXPECT_EQ(AwaitEnd("stops"), JobState::kFailed);
  EXPECT_NE(manager_->Get("stops")->error, "");
}

TEST_F(JobManagerTest, APublicationThatCannotBeStoredFailsTheJob) {
  StartManager();
  Create("job-a");
  RunResult result = Published();
  result.publication->version.model = "none";
  runs_.Return("job-a", result);
  EXPECT_EQ(AwaitEnd("job-a"), JobState::kFailed);
  EXPECT_NE(manager_->Get("job-a")->error.find("could not be published"), std::string::npos);
}

TEST_F(JobManagerTest, DeletesEndedJobsAlone) {
  StartManager();
  Create("job-a");
  Create("waits");
  runs_.AwaitStarted(1);
  EXPECT_EQ(manager_->Delete("job-a").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(manager_->Delete("waits").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(manager_->Delete("none").code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(manager_->Cancel("waits").ok());
  runs_.Return("job-a", Published());
  AwaitEnd("job-a");
  EXPECT_TRUE(manager_->Delete("job-a").ok());
  EXPECT_EQ(manager_->Get("job-a").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->ListUpdates("job-a", 0, 1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->GetModel("wow")->latest_version, 1);  // What it published stays.
}

TEST_F(JobManagerTest, RefusesToRunNothing) {
  EXPECT_EQ(JobManager::Create(store_.get(), runs_.Function(), Running(0)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace sluiced::jobs
