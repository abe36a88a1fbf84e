// What callers ask of the manager.
#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/common/errors.h"
#include "server/common/resource_id.h"
#include "server/common/status_macros.h"
#include "server/jobs/job_manager_impl.h"
#include "server/jobs/job_state.h"
#include "server/jobs/job_watch.h"

namespace sluiced::jobs {
namespace {

constexpr int kNameAttempts = 10;
constexpr absl::Duration kQueueFullRetry = absl::Seconds(10);
constexpr absl::Duration kDrainRetry = absl::Seconds(1);

std::string MakeId() {
  constexpr char kLetters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::random_device random;
  std::uniform_int_distribution<size_t> letter(0, sizeof(kLetters) - 2);
  std::string id = "job-";
  for (int i = 0; i < 8; ++i) id += kLetters[letter(random)];
  return id;
}

int64_t Mebibytes(int64_t bytes) { return (bytes + (1 << 20) - 1) >> 20; }

absl::Status WrongState(absl::string_view id, JobState state, absl::string_view done) {
  return absl::FailedPreconditionError(
      absl::StrCat(ResourceNameOf(id), " is ", NameOf(state), " and cannot be ", done));
}

}  // namespace

absl::Status JobManagerImpl::CheckMayCreateLocked(const JobRecord& job, int64_t memory) const {
  if (draining_) {
    return WithReason("DRAINING", Unavailable("the server is stopping", kDrainRetry));
  }
  // The retry of a request that found a place is answered whatever the limits.
  if (IsRepeatedLocked(job)) return absl::OkStatus();
  if (memory > options_.max_memory) {
    return WithReason("JOB_MEMORY", absl::ResourceExhaustedError(absl::StrCat(
                                        "the job would hold about ", Mebibytes(memory),
                                        " MiB while it runs; jobs may hold ",
                                        Mebibytes(options_.max_memory), " MiB (--job-memory)")));
  }
  if (queue_.size() < static_cast<size_t>(std::max(options_.max_queued, 0))) {
    return absl::OkStatus();
  }
  return WithReason(
      "JOB_QUEUE_FULL",
      Exhausted(absl::StrCat("the queue is full: ", queue_.size(), " jobs wait"), kQueueFullRetry));
}

bool JobManagerImpl::IsRepeatedLocked(const JobRecord& job) const {
  return !job.request_id.empty() && std::ranges::any_of(jobs_, [&job](const auto& entry) {
    return RecordOf(*entry.second).request_id == job.request_id;
  });
}

int64_t JobManagerImpl::MemoryOf(const JobRecord& job) const {
  return options_.memory_of ? options_.memory_of(job) : 0;
}

int64_t JobManagerImpl::RunningMemoryLocked() const {
  return std::accumulate(running_.begin(), running_.end(), int64_t{0},
                         [](int64_t sum, const JobPtr& job) { return sum + job->memory; });
}

absl::StatusOr<JobRecord> JobManagerImpl::CreateNamedLocked(JobRecord job) {
  if (!job.id.empty()) return store_->CreateJob(job);
  absl::StatusOr<JobRecord> created = absl::InternalError("no name was tried");
  for (int i = 0; i < kNameAttempts; ++i) {
    job.id = MakeId();
    created = store_->CreateJob(job);
    if (!absl::IsAlreadyExists(created.status())) break;
  }
  return created;
}

absl::StatusOr<JobRecord> JobManagerImpl::Create(JobRecord job) {
  if (!job.id.empty()) RETURN_IF_ERROR(CheckId("train_job_id", job.id));
  JobRecord fresh;
  fresh.id = std::move(job.id);
  fresh.model = std::move(job.model);
  fresh.dataset = std::move(job.dataset);
  fresh.payload = std::move(job.payload);
  fresh.request_id = std::move(job.request_id);
  fresh.create_time = absl::Now();
  const int64_t memory = MemoryOf(fresh);

  std::lock_guard<std::mutex> hold(mu_);
  RETURN_IF_ERROR(CheckMayCreateLocked(fresh, memory));
  ASSIGN_OR_RETURN(JobRecord created, CreateNamedLocked(std::move(fresh)));
  // A job that an earlier request made is ours already, or has ended.
  if (!IsTerminal(created.state) && !jobs_.contains(created.id)) {
    auto entry = std::make_shared<Job>(created, options_.watch, memory);
    jobs_[created.id] = entry;
    EnqueueLocked(entry);
  }
  return created;
}

absl::StatusOr<JobRecord> JobManagerImpl::Get(absl::string_view id) { return store_->GetJob(id); }

absl::StatusOr<std::vector<JobRecord>> JobManagerImpl::List(const store::Page& page,
                                                            absl::string_view model) {
  return store_->ListJobs(page, model);
}

JobManager::Counts JobManagerImpl::Count() {
  Counts counts;
  for (const JobState state :
       {JobState::kQueued, JobState::kRunning, JobState::kPaused, JobState::kCancelling}) {
    counts.unfinished[state] = 0;
  }
  for (const JobState state : {JobState::kSucceeded, JobState::kFailed, JobState::kCancelled}) {
    counts.ended[state] = 0;
  }
  counts.max_queued = options_.max_queued;
  counts.max_memory = options_.max_memory;
  std::lock_guard<std::mutex> hold(mu_);
  for (const auto& [id, job] : jobs_) ++counts.unfinished[StateOf(*job)];
  for (const auto& [state, count] : ended_) counts.ended[state] = count;
  counts.queued = static_cast<int64_t>(queue_.size());
  counts.memory = RunningMemoryLocked();
  return counts;
}

int64_t JobManagerImpl::QueuePosition(absl::string_view id) {
  std::lock_guard<std::mutex> hold(mu_);
  int64_t position = 0;
  for (const auto& [order, job] : queue_) {
    ++position;
    if (job->id == id) return position;
  }
  return 0;
}

absl::StatusOr<JobPtr> JobManagerImpl::FindUnfinishedLocked(absl::string_view id,
                                                            absl::string_view done) {
  auto found = jobs_.find(std::string(id));
  if (found != jobs_.end() && !IsTerminal(RecordOf(*found->second).state)) return found->second;
  ASSIGN_OR_RETURN(const JobRecord ended, store_->GetJob(id));
  return WrongState(id, ended.state, done);
}

absl::StatusOr<JobRecord> JobManagerImpl::Cancel(absl::string_view id) {
  Wakeups wakeups;
  std::lock_guard<std::mutex> hold(mu_);
  ASSIGN_OR_RETURN(const JobPtr job, FindUnfinishedLocked(id, "cancelled"));
  const JobRecord now = RecordOf(*job);
  if (now.state == JobState::kCancelling) return now;
  const bool runs = now.state == JobState::kRunning;
  const JobState to = runs ? JobState::kCancelling : JobState::kCancelled;
  ASSIGN_OR_RETURN(JobRecord moved, MoveLocked(job, {.to = to}, &wakeups));
  if (runs) {
    job->signal.store(Signal::kCancel);
  } else {
    DequeueLocked(*job);
  }
  return moved;
}

absl::StatusOr<JobRecord> JobManagerImpl::Pause(absl::string_view id) {
  Wakeups wakeups;
  std::lock_guard<std::mutex> hold(mu_);
  ASSIGN_OR_RETURN(const JobPtr job, FindUnfinishedLocked(id, "paused"));
  const JobRecord now = RecordOf(*job);
  if (now.state == JobState::kRunning) {
    job->pause_requested = true;
    job->signal.store(Signal::kPause);
    return now;
  }
  if (now.state != JobState::kQueued) return WrongState(id, now.state, "paused");
  ASSIGN_OR_RETURN(JobRecord moved, MoveLocked(job, {.to = JobState::kPaused}, &wakeups));
  DequeueLocked(*job);
  return moved;
}

absl::StatusOr<JobRecord> JobManagerImpl::Resume(absl::string_view id) {
  Wakeups wakeups;
  std::lock_guard<std::mutex> hold(mu_);
  ASSIGN_OR_RETURN(const JobPtr job, FindUnfinishedLocked(id, "resumed"));
  const JobState state = RecordOf(*job).state;
  if (state != JobState::kPaused) return WrongState(id, state, "resumed");
  if (draining_) return Unavailable("the server is stopping", kDrainRetry);
  ASSIGN_OR_RETURN(JobRecord moved, MoveLocked(job, {.to = JobState::kQueued}, &wakeups));
  EnqueueLocked(job);
  return moved;
}

absl::Status JobManagerImpl::Delete(absl::string_view id) {
  {
    std::lock_guard<std::mutex> hold(mu_);
    auto found = jobs_.find(std::string(id));
    if (found != jobs_.end()) {
      return WrongState(id, RecordOf(*found->second).state, "deleted");
    }
  }
  // Nothing makes an ended job run again.
  return store_->DeleteJob(id);
}

absl::StatusOr<std::unique_ptr<Watch>> JobManagerImpl::StartWatch(absl::string_view id,
                                                                  int64_t after_sequence,
                                                                  std::function<void()> ready) {
  std::lock_guard<std::mutex> hold(mu_);
  if (draining_) return Unavailable("the server is stopping", kDrainRetry);
  std::shared_ptr<UpdateLog> log;
  if (auto found = jobs_.find(std::string(id)); found != jobs_.end()) {
    log = found->second->log;
  } else {
    RETURN_IF_ERROR(store_->GetJob(id).status());
  }
  return std::make_unique<JobWatch>(store_, std::string(id), after_sequence, std::move(log),
                                    std::move(ready));
}

}  // namespace sluiced::jobs
