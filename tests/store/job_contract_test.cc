#include "server/common/errors.h"
#include "tests/store/store_contract.h"

namespace sluiced::store {
namespace {

class JobContract : public StoreContract {
 protected:
  void SetUp() override {
    StoreContract::SetUp();
    MakeModel(store(), "wow");
  }
};

TEST_P(JobContract, GivesBackWhatWasCreatedInOrder) {
  EXPECT_EQ(MakeJob(store(), "job-b", "wow").order, 1);
  EXPECT_EQ(MakeJob(store(), "job-a", "wow").order, 2);
  JobRecord expected = SomeJob("job-a", "wow");
  expected.order = 2;
  EXPECT_TRUE(store().GetJob("job-a").value() == expected);
  Reopen();
  EXPECT_TRUE(store().GetJob("job-a").value() == expected);
}

TEST_P(JobContract, NamesWhatIsNotThere) {
  const auto expect = [](const absl::Status& status, const std::string& name) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
    ASSERT_TRUE(ResourceOf(status)) << status;
    EXPECT_EQ(ResourceOf(status)->name, name);
  };
  expect(store().CreateJob(SomeJob("job-a", "none")).status(), "models/none");
  JobRecord no_data = SomeJob("job-a", "wow");
  no_data.dataset = "none";
  expect(store().CreateJob(no_data).status(), "datasets/none");
  expect(store().GetJob("job-a").status(), "trainJobs/job-a");
  expect(store().SaveJob(SomeJob("job-a", "wow"), {}), "trainJobs/job-a");
  expect(store().AppendUpdates("job-a", {SomeUpdate(1)}), "trainJobs/job-a");
  expect(store().ListUpdates("job-a", 0, 1).status(), "trainJobs/job-a");
  expect(store().SaveCheckpoint("job-a", "x"), "trainJobs/job-a");
  expect(store().GetCheckpoint("job-a").status(), "trainJobs/job-a");
  expect(store().SaveSnapshot("job-a", 1, "x"), "trainJobs/job-a");
  expect(store().DeleteJob("job-a"), "trainJobs/job-a");
  MakeJob(store(), "job-a", "wow");
  expect(store().GetSnapshot("job-a", 5).status(), "trainJobs/job-a/snapshots/5");
}

TEST_P(JobContract, ARequestIdSeenBeforeReturnsTheJobItMade) {
  JobRecord first = SomeJob("job-a", "wow");
  first.request_id = "r1";
  ASSERT_TRUE(store().CreateJob(first).ok());
  MoveJob(store(), "job-a", JobState::kRunning);
  JobRecord second = SomeJob("job-b", "wow");
  second.request_id = "r1";
  auto repeated = store().CreateJob(second).value();
  EXPECT_EQ(repeated.id, "job-a");
  EXPECT_EQ(repeated.state, JobState::kRunning);
  EXPECT_EQ(store().GetJob("job-b").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().CreateJob(SomeJob("job-a", "wow")).status().code(),
            absl::StatusCode::kAlreadyExists);
}

TEST_P(JobContract, SavesStateAndUpdatesTogetherOrNotAtAll) {
  JobRecord job = MakeJob(store(), "job-a", "wow");
  job.state = JobState::kRunning;
  job.attempt = 3;
  job.stalled_attempts = 2;
  job.start_time = absl::FromUnixNanos(5);
  job.order = 9;
  job.error = "why";
  ASSERT_TRUE(store().SaveJob(job, {SomeUpdate(1), SomeUpdate(2)}).ok());
  job.last_sequence = 2;
  EXPECT_TRUE(store().GetJob("job-a").value() == job);

  JobRecord broken = job;
  broken.state = JobState::kFailed;
  EXPECT_FALSE(store().SaveJob(broken, {SomeUpdate(3), SomeUpdate(2)}).ok());  // 2 is taken.
  EXPECT_TRUE(store().GetJob("job-a").value() == job);
  EXPECT_EQ(store().ListUpdates("job-a", 0, 10).value().size(), 2u);
}

TEST_P(JobContract, ListsUpdatesAfterASequence) {
  MakeJob(store(), "job-a", "wow");
  MakeJob(store(), "job-b", "wow");
  for (int64_t i = 1; i <= 10; ++i) {
    ASSERT_TRUE(store().AppendUpdates("job-a", {SomeUpdate(i)}).ok());
  }
  Reopen();
  auto updates = store().ListUpdates("job-a", 7, 2).value();
  ASSERT_EQ(updates.size(), 2u);
  EXPECT_TRUE(updates[0] == SomeUpdate(8));
  EXPECT_TRUE(updates[1] == SomeUpdate(9));
  EXPECT_TRUE(store().ListUpdates("job-a", 10, 5).value().empty());
  EXPECT_TRUE(store().ListUpdates("job-b", 0, 5).value().empty());
  EXPECT_EQ(store().GetJob("job-a")->last_sequence, 10);
}

TEST_P(JobContract, ListsByIdAndModelAndTheUnfinishedByOrder) {
  MakeModel(store(), "roll");
  MakeJob(store(), "job-c", "wow");
  MakeJob(store(), "job-b", "roll");
  MakeJob(store(), "job-a", "wow");
  const auto ids = [](const std::vector<JobRecord>& jobs) {
    std::string all;
    for (const JobRecord& job : jobs) all += job.id.back();
    return all;
  };
  EXPECT_EQ(ids(store().ListJobs({}, "").value()), "abc");
  EXPECT_EQ(ids(store().ListJobs(Page{1, "job-a"}, "").value()), "b");
  EXPECT_EQ(ids(store().ListJobs({}, "wow").value()), "ac");
  EXPECT_EQ(ids(store().ListUnfinishedJobs().value()), "cba");
  MoveJob(store(), "job-b", JobState::kSucceeded);
  MoveJob(store(), "job-c", JobState::kCancelling);
  EXPECT_EQ(ids(store().ListUnfinishedJobs().value()), "ca");
}

TEST_P(JobContract, KeepsTheLastCheckpointAndAllSnapshots) {
  MakeJob(store(), "job-a", "wow");
  EXPECT_EQ(store().GetCheckpoint("job-a").value(), "");
  ASSERT_TRUE(store().SaveCheckpoint("job-a", "first").ok());
  ASSERT_TRUE(store().SaveCheckpoint("job-a", "second").ok());
  ASSERT_TRUE(store().SaveSnapshot("job-a", 20, "s20").ok());
  ASSERT_TRUE(store().SaveSnapshot("job-a", 3, "s3").ok());
  ASSERT_TRUE(store().SaveSnapshot("job-a", 3, "s3 again").ok());
  Reopen();
  EXPECT_EQ(store().GetCheckpoint("job-a").value(), "second");
  EXPECT_EQ(store().ListSnapshots("job-a").value(), (std::vector<int64_t>{3, 20}));
  EXPECT_EQ(store().GetSnapshot("job-a", 3).value(), "s3 again");
}

TEST_P(JobContract, ACheckpointEndsTheCountOfStalledAttempts) {
  for (const char* id : {"job-a", "job-b"}) {
    JobRecord job = MakeJob(store(), id, "wow");
    job.stalled_attempts = 2;
    ASSERT_TRUE(store().SaveJob(job, {}).ok());
  }
  ASSERT_TRUE(store().SaveCheckpoint("job-a", "c").ok());
  Reopen();
  EXPECT_EQ(store().GetJob("job-a")->stalled_attempts, 0);
  EXPECT_EQ(store().GetJob("job-b")->stalled_attempts, 2);
}

TEST_P(JobContract, FinishPublishesVersionJobAndUpdatesInOne) {
  JobRecord job = MakeJob(store(), "job-a", "wow");
  job.state = JobState::kSucceeded;
  job.end_time = absl::FromUnixNanos(7);
  Store::Publication publication{SomeVersion("wow"), "trained", "last checkpoint"};
  publication.version.number = 99;
  EXPECT_EQ(store().FinishJob(job, {SomeUpdate(1, job.state)}, publication).value(), 1);
  Reopen();
  job.version = 1;
  job.last_sequence = 1;
  EXPECT_TRUE(store().GetJob("job-a").value() == job);
  EXPECT_EQ(store().GetModel("wow")->latest_version, 1);
  EXPECT_EQ(store().GetParameters("wow", 1).value(), "trained");
  EXPECT_EQ(store().GetCheckpoint("job-a").value(), "last checkpoint");

  // Its update is there already: nothing of a second publication stays.
  EXPECT_FALSE(store().FinishJob(job, {SomeUpdate(1)}, publication).ok());
  EXPECT_EQ(store().GetModel("wow")->latest_version, 1);
}

TEST_P(JobContract, IsDeletedWithAllOfItOnceItHasEnded) {
  MakeJob(store(), "job-a", "wow");
  ASSERT_TRUE(store().SaveCheckpoint("job-a", "c").ok());
  ASSERT_TRUE(store().SaveSnapshot("job-a", 1, "s").ok());
  EXPECT_EQ(store().DeleteJob("job-a").code(), absl::StatusCode::kFailedPrecondition);
  MoveJob(store(), "job-a", JobState::kFailed);
  ASSERT_TRUE(store().DeleteJob("job-a").ok());
  EXPECT_EQ(store().GetJob("job-a").status().code(), absl::StatusCode::kNotFound);
  MakeJob(store(), "job-a", "wow");
  EXPECT_EQ(store().GetCheckpoint("job-a").value(), "");
  EXPECT_TRUE(store().ListSnapshots("job-a").value().empty());
  EXPECT_TRUE(store().ListUpdates("job-a", 0, 10).value().empty());
}

TEST_P(JobContract, TrimmingLeavesTheLastUpdates) {
  MakeJob(store(), "job-a", "wow");
  MakeJob(store(), "job-b", "wow");
  for (const char* job : {"job-a", "job-b"}) {
    std::vector<UpdateRecord> updates;
    for (int64_t sequence = 1; sequence <= 10'000; ++sequence) {
      updates.push_back(SomeUpdate(sequence));
    }
    ASSERT_TRUE(store().AppendUpdates(job, updates).ok());
  }
  ASSERT_TRUE(store().TrimUpdates("job-a", 20'000).ok());
  EXPECT_EQ(store().ListUpdates("job-a", 0, 1)->at(0).sequence, 1);
  ASSERT_TRUE(store().TrimUpdates("job-a", 3).ok());
  const auto left = store().ListUpdates("job-a", 0, 10).value();
  ASSERT_EQ(left.size(), 3u);
  EXPECT_EQ(left.at(0).sequence, 9'998);
  EXPECT_EQ(store().GetJob("job-a")->last_sequence, 10'000);
  ASSERT_TRUE(store().TrimUpdates("job-a", 0).ok());  // One stays whatever is said.
  EXPECT_EQ(store().ListUpdates("job-a", 0, 10)->size(), 1u);
  EXPECT_EQ(store().ListUpdates("job-b", 0, 10)->at(0).sequence, 1);
  ASSERT_TRUE(store().AppendUpdates("job-a", {SomeUpdate(10'001)}).ok());
  EXPECT_EQ(store().TrimUpdates("none", 1).code(), absl::StatusCode::kNotFound);
}

// Ended at `end`, with updates, a snapshot and a checkpoint.
void MakeEndedJob(Store& store, const std::string& id, absl::Time end) {
  JobRecord job = MakeJob(store, id, "wow");
  ASSERT_TRUE(store.SaveSnapshot(id, 1, "first").ok());
  ASSERT_TRUE(store.SaveCheckpoint(id, "kept").ok());
  job.state = JobState::kFailed;
  job.error = "why";
  job.end_time = end;
  ASSERT_TRUE(store.SaveJob(job, {SomeUpdate(1), SomeUpdate(2, job.state)}).ok());
}

TEST_P(JobContract, AnEndedJobThatIsForgottenKeepsItsRecordAndItsLastUpdate) {
  const absl::Time noon = absl::FromUnixSeconds(1'700'000'000);
  MakeEndedJob(store(), "early", noon - absl::Hours(1));
  MakeEndedJob(store(), "early-too", noon - absl::Hours(1));
  MakeEndedJob(store(), "late", noon);
  MakeJob(store(), "unfinished", "wow");
  ASSERT_TRUE(store().SaveCheckpoint("unfinished", "kept").ok());
  const JobRecord before = store().GetJob("early").value();
  ASSERT_TRUE(store().ForgetJobsEndedBefore(noon).ok());
  ASSERT_TRUE(store().ForgetJobsEndedBefore(noon).ok());  // Again changes nothing.
  for (const char* id : {"early", "early-too"}) {
    EXPECT_EQ(store().ListSnapshots(id)->size(), 0u);
    EXPECT_EQ(store().GetCheckpoint(id).value(), "");
    const auto updates = store().ListUpdates(id, 0, 10).value();
    ASSERT_EQ(updates.size(), 1u);
    EXPECT_EQ(updates.at(0).state, JobState::kFailed);
    EXPECT_EQ(updates.at(0).sequence, 2);
  }
  EXPECT_TRUE(store().GetJob("early").value() == before);
  EXPECT_EQ(store().GetCheckpoint("late").value(), "kept");
  EXPECT_EQ(store().ListSnapshots("late")->size(), 1u);
  EXPECT_EQ(store().ListUpdates("late", 0, 10)->size(), 2u);
  EXPECT_EQ(store().GetCheckpoint("unfinished").value(), "kept");
}

TEST_P(JobContract, ForgetsMoreThanOneStepTakes) {
  MakeEndedJob(store(), "long", absl::FromUnixSeconds(1));
  std::vector<UpdateRecord> updates;
  for (int64_t sequence = 3; sequence <= 10'000; ++sequence) {
    updates.push_back(SomeUpdate(sequence, JobState::kFailed));
  }
  ASSERT_TRUE(store().AppendUpdates("long", updates).ok());
  for (int64_t epoch = 2; epoch <= 30; ++epoch) {
    ASSERT_TRUE(store().SaveSnapshot("long", epoch, "next").ok());
  }
  ASSERT_TRUE(store().ForgetJobsEndedBefore(absl::FromUnixSeconds(2)).ok());
  EXPECT_EQ(store().ListUpdates("long", 0, 10)->at(0).sequence, 10'000);
  EXPECT_EQ(store().ListSnapshots("long")->size(), 0u);
  EXPECT_EQ(store().GetCheckpoint("long").value(), "");
}

INSTANTIATE_TEST_SUITE_P(AllBackends, JobContract, ::testing::ValuesIn(AllBackends()), BackendName);

}  // namespace
}  // namespace sluiced::store
