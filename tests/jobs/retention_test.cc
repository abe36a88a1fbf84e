// What is kept of jobs: by an invented clock.
#include "server/jobs/retention.h"

#include <algorithm>
#include <atomic>

#include "server/store/sqlite_store_impl.h"
#include "tests/jobs/job_fixture.h"

namespace sluiced::jobs {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1'700'000'000);

class RetentionTest : public JobTest {
 protected:
  // A job with `updates` updates, a checkpoint and a snapshot, that ended at `end`.
  void MakeEnded(const std::string& id, absl::Time end, int64_t updates = 3) {
    JobRecord job = store::MakeJob(*store_, id, "wow");
    std::vector<UpdateRecord> all;
    for (int64_t i = 1; i < updates; ++i) all.push_back(store::SomeUpdate(i));
    job.state = JobState::kCancelled;
    all.push_back(store::SomeUpdate(updates, job.state));
    job.end_time = end;
    ASSERT_TRUE(store_->SaveCheckpoint(id, "kept").ok());
    ASSERT_TRUE(store_->SaveSnapshot(id, 1, "first").ok());
    ASSERT_TRUE(store_->SaveJob(job, all).ok());
  }
  size_t UpdatesOf(const std::string& id) { return store_->ListUpdates(id, 0, 1000)->size(); }

  // A round of it waits, on the thread of the Retention, until the test has seen it.
  RetentionOptions Options() {
    RetentionOptions options;
    options.keep_ended = absl::Hours(24);
    options.now = [this] {
      std::lock_guard<std::mutex> hold(mu_);
      ++rounds_;
      changed_.notify_all();
      return now_;
    };
    return options;
  }
  void SetNow(absl::Time now) {
    std::lock_guard<std::mutex> hold(mu_);
    now_ = now;
  }
  // Until `more` rounds have begun from here on.
  void AwaitRounds(int more) {
    std::unique_lock<std::mutex> lock(mu_);
    const int wanted = rounds_ + more;
    changed_.wait(lock, [&] { return rounds_ >= wanted; });
  }

  std::mutex mu_;
  std::condition_variable changed_;
  absl::Time now_ = kNoon;
  int rounds_ = 0;
};

TEST_F(RetentionTest, AnEndedJobIsForgottenWhenItsTimeHasCome) {
  MakeEnded("job-a", kNoon - absl::Hours(23));
  const RetentionOptions options = Options();
  ASSERT_TRUE(ForgetEndedJobs(store_.get(), options).ok());
  EXPECT_EQ(UpdatesOf("job-a"), 3u);
  SetNow(kNoon + absl::Hours(1));
  ASSERT_TRUE(ForgetEndedJobs(store_.get(), options).ok());
  EXPECT_EQ(UpdatesOf("job-a"), 3u) << "its last second counts";
  SetNow(kNoon + absl::Hours(1) + absl::Seconds(1));
  ASSERT_TRUE(ForgetEndedJobs(store_.get(), options).ok());
  EXPECT_EQ(UpdatesOf("job-a"), 1u);
  EXPECT_EQ(store_->GetCheckpoint("job-a").value(), "");
  StartManager();
  EXPECT_EQ(StateOf("job-a"), JobState::kCancelled);
  const auto seen = Reader(*manager_, "job-a").ReadToEnd();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen.at(0).state, JobState::kCancelled);
}

TEST_F(RetentionTest, ByDefaultEndedJobsAreKeptForEver) {
  MakeEnded("job-a", absl::UnixEpoch());
  ASSERT_TRUE(ForgetEndedJobs(store_.get(), RetentionOptions()).ok());
  EXPECT_EQ(UpdatesOf("job-a"), 3u);
}

TEST_F(RetentionTest, UpdatesOfEarlierProcessesAreTrimmed) {
  for (int i = 0; i < 300; ++i) MakeEnded("job-" + std::to_string(i), kNoon, i % 7 + 1);
  ASSERT_TRUE(TrimAllUpdates(store_.get(), 4).ok());
  for (int i = 0; i < 300; ++i) {
    const std::string id = "job-" + std::to_string(i);
    EXPECT_EQ(UpdatesOf(id), static_cast<size_t>(std::min(i % 7 + 1, 4))) << id;
    EXPECT_EQ(store_->GetJob(id)->last_sequence, i % 7 + 1);
  }
}

TEST_F(RetentionTest, WorksAtOnceAndThenEveryPeriod) {
  MakeEnded("early", kNoon - absl::Hours(48), 9);
  MakeEnded("late", kNoon, 9);
  RetentionOptions options = Options();
  options.keep_updates = 5;
  options.period = absl::Milliseconds(1);
  {
    const Retention retention(store_.get(), options);
    AwaitRounds(2);  // The second begins when the first is over.
    EXPECT_EQ(UpdatesOf("early"), 1u);
    EXPECT_EQ(UpdatesOf("late"), 5u);
    SetNow(kNoon + absl::Hours(25));
    AwaitRounds(2);
  }
  EXPECT_EQ(UpdatesOf("late"), 1u);
}

TEST_F(RetentionTest, SaysWhatWentWrongAndGoesOn) {
  class BrokenStore : public store::SqliteStore {
   public:
    using SqliteStore::SqliteStore;
    absl::Status ForgetJobsEndedBefore(absl::Time) override {
      return absl::InternalError("broken");
    }
  };
  store::TempDir dir;
  BrokenStore broken(store::DataDirLock::Acquire(dir.path()).value(), dir.path());
  ASSERT_TRUE(broken.Start().ok());
  RetentionOptions options = Options();
  options.period = absl::Milliseconds(1);
  std::atomic<int> errors = 0;
  options.on_error = [&errors](const absl::Status& status) {
    EXPECT_EQ(status.message(), "broken");
    ++errors;
  };
  {
    const Retention retention(&broken, options);
    AwaitRounds(3);
  }
  EXPECT_GE(errors, 3);
}

}  // namespace
}  // namespace sluiced::jobs
