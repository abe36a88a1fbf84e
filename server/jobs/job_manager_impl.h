// The class behind JobManager::Create; its parts lie in job_*.cc.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/jobs/job.h"
#include "server/jobs/job_manager.h"
#include "server/jobs/update_log.h"

namespace sluiced::jobs {

using JobPtr = std::shared_ptr<Job>;

// What the store says is the truth; memory holds what has not ended. Every
// transition is saved before anything in memory shows it. Locks are taken in the
// order mu_, Job::mu, the log's own.
//
// std::mutex and not absl::Mutex: ThreadSanitizer does not see the locks of
// Debian's absl.
class JobManagerImpl : public JobManager {
 public:
  JobManagerImpl(store::Store* store, RunFunction run, Options options);
  ~JobManagerImpl() override;
  // Takes up what the store holds unfinished, then starts the threads.
  absl::Status Start();

  absl::StatusOr<JobRecord> Create(JobRecord job) override;
  absl::StatusOr<JobRecord> Get(absl::string_view id) override;
  absl::StatusOr<std::vector<JobRecord>> List(const store::Page& page,
                                              absl::string_view model) override;
  int64_t QueuePosition(absl::string_view id) override;
  absl::StatusOr<JobRecord> Cancel(absl::string_view id) override;
  absl::StatusOr<JobRecord> Pause(absl::string_view id) override;
  absl::StatusOr<JobRecord> Resume(absl::string_view id) override;
  absl::Status Delete(absl::string_view id) override;
  absl::StatusOr<std::unique_ptr<Watch>> StartWatch(absl::string_view id, int64_t after_sequence,
                                                    std::function<void()> ready) override;
  Counts Count() override;
  void Drain() override;

 private:
  // Requests.
  absl::Status CheckMayCreateLocked(const JobRecord& job, int64_t memory) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool IsRepeatedLocked(const JobRecord& job) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  int64_t MemoryOf(const JobRecord& job) const;
  int64_t RunningMemoryLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<JobRecord> CreateNamedLocked(JobRecord job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // FAILED_PRECONDITION for a job that has ended: it cannot be `done` any more.
  absl::StatusOr<JobPtr> FindUnfinishedLocked(absl::string_view id, absl::string_view done)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Transitions.
  struct Change {
    JobState to;
    std::string payload = {};
    std::string error = {};
    const store::Store::Publication* publication = nullptr;  // Of kSucceeded.
  };
  Change FailedChange(std::string error) const;
  // Saves the job's next state with its update, and shows that to watchers unless
  // `wakeups` is null: the caller does, once nothing else can.
  absl::StatusOr<UpdateRecord> SaveLocked(Job& job, const Change& change, Wakeups* wakeups)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Saves, shows to watchers, and lets go of a job that has ended.
  absl::StatusOr<JobRecord> MoveLocked(const JobPtr& job, const Change& change, Wakeups* wakeups)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void LetGoIfEndedLocked(const JobPtr& job, JobState state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EnqueueLocked(const JobPtr& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DequeueLocked(const Job& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status TakeUpLocked(JobRecord record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Threads.
  void Work();
  // Whoever runs when the server dies is suspected of it. So a suspect starts, and others start
  // beside it, only once each running job has saved a checkpoint and is suspected of nothing.
  // And there must be memory for it, unless it is alone.
  bool MayStartLocked(Job& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  JobPtr TakeNext();  // Blocks; null once draining. The job is RUNNING.
  absl::StatusOr<RunResult> RunJob(const JobPtr& job);
  void EndRun(const JobPtr& job, absl::StatusOr<RunResult> result);
  Change ChooseEndLocked(Job& job, const absl::StatusOr<RunResult>& result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WaitToSaveAgain(std::unique_lock<std::mutex>* lock);

  // Constant after construction.
  store::Store* const store_;
  const RunFunction run_;
  const Options options_;
  // Guarded.
  std::mutex mu_;
  std::condition_variable changed_;
  std::map<std::string, JobPtr, std::less<>> jobs_ ABSL_GUARDED_BY(mu_);  // Not ended.
  std::set<std::pair<int64_t, JobPtr>> queue_ ABSL_GUARDED_BY(mu_);       // By order.
  int64_t last_order_ ABSL_GUARDED_BY(mu_) = 0;
  std::set<JobPtr> running_ ABSL_GUARDED_BY(mu_);
  std::map<JobState, int64_t> ended_ ABSL_GUARDED_BY(mu_);
  bool draining_ ABSL_GUARDED_BY(mu_) = false;

  std::vector<std::thread> threads_;
};

// The job as it is now.
JobRecord RecordOf(Job& job);
JobState StateOf(Job& job);
int StalledAttemptsOf(Job& job);
std::string ResourceNameOf(absl::string_view job);

}  // namespace sluiced::jobs
