#include "server/jobs/job_manager.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/common/check.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/jobs/job_manager_impl.h"
#include "server/jobs/job_state.h"

namespace sluiced::jobs {

absl::StatusOr<std::unique_ptr<JobManager>> JobManager::Create(store::Store* store, RunFunction run,
                                                               Options options) {
  if (options.max_running < 1) return FieldError("max_running", "must be at least 1");
  if (options.keep_updates < 1) return FieldError("keep_updates", "must be at least 1");
  auto manager = std::make_unique<JobManagerImpl>(store, std::move(run), std::move(options));
  RETURN_IF_ERROR(manager->Start());
  return manager;
}

JobManagerImpl::JobManagerImpl(store::Store* store, RunFunction run, Options options)
    : store_(store), run_(std::move(run)), options_(std::move(options)) {}

JobManagerImpl::~JobManagerImpl() {
  Drain();
  for (std::thread& thread : threads_) thread.join();
}

void JobManagerImpl::Drain() {
  {
    Wakeups wakeups;  // Fire before the wait below: nobody waits for runs to stop.
    std::lock_guard<std::mutex> hold(mu_);
    draining_ = true;
    for (const auto& [id, job] : jobs_) {
      // A job that is being cancelled stays so.
      Signal expected = Signal::kContinue;
      job->signal.compare_exchange_strong(expected, Signal::kPause);
      job->log->Close(Unavailable("the server is stopping", absl::Seconds(1)), &wakeups);
    }
    changed_.notify_all();
  }
  std::unique_lock<std::mutex> lock(mu_);
  changed_.wait(lock, [this] { return running_.empty(); });
}

absl::StatusOr<UpdateRecord> JobManagerImpl::SaveLocked(Job& job, const Change& change,
                                                        Wakeups* wakeups) {
  std::lock_guard<std::mutex> hold(job.mu);
  SLUICED_CHECK(IsLegal(job.record.state, change.to));
  JobRecord next = job.record;
  const absl::Time now = absl::Now();
  if (change.to == JobState::kRunning) {
    // Counts the processes that have run it.
    if (!job.started_here) ++next.attempt;
    if (!next.start_time) next.start_time = now;
    // Before it starts: if the server dies of it, this is what is left to tell.
    ++next.stalled_attempts;
  } else if (job.started_here) {
    next.stalled_attempts = 0;  // The attempt came to an end in order.
  }
  if (change.to == JobState::kQueued && next.state == JobState::kPaused) {
    next.order = last_order_ + 1;
  }
  if (IsTerminal(change.to)) next.end_time = now;
  next.state = change.to;
  next.error = change.error;
  const UpdateRecord update{.sequence = ++next.last_sequence,
                            .time = now,
                            .state = change.to,
                            .attempt = next.attempt,
                            .payload = change.payload};
  if (change.publication != nullptr) {
    ASSIGN_OR_RETURN(next.version, store_->FinishJob(next, {update}, *change.publication));
  } else {
    RETURN_IF_ERROR(store_->SaveJob(next, {update}));
  }
  job.record = std::move(next);
  if (IsTerminal(change.to)) ++ended_[change.to];
  // Before the lock is free again for the run, whose next update follows this one.
  if (wakeups != nullptr) job.log->Publish(update, wakeups);
  return update;
}

absl::StatusOr<JobRecord> JobManagerImpl::MoveLocked(const JobPtr& job, const Change& change,
                                                     Wakeups* wakeups) {
  ASSIGN_OR_RETURN(const UpdateRecord update, SaveLocked(*job, change, wakeups));
  LetGoIfEndedLocked(job, update.state);
  return RecordOf(*job);
}

void JobManagerImpl::LetGoIfEndedLocked(const JobPtr& job, JobState state) {
  if (IsTerminal(state)) jobs_.erase(job->id);
}

void JobManagerImpl::EnqueueLocked(const JobPtr& job) {
  const int64_t order = RecordOf(*job).order;
  last_order_ = std::max(last_order_, order);
  queue_.emplace(order, job);
  changed_.notify_all();
}

void JobManagerImpl::DequeueLocked(const Job& job) {
  std::erase_if(queue_, [&](const auto& entry) { return entry.second.get() == &job; });
  changed_.notify_all();  // What is the next one now may start where that one could not.
}

JobRecord RecordOf(Job& job) {
  std::lock_guard<std::mutex> hold(job.mu);
  return job.record;
}

JobState StateOf(Job& job) {
  std::lock_guard<std::mutex> hold(job.mu);
  return job.record.state;
}

int StalledAttemptsOf(Job& job) {
  std::lock_guard<std::mutex> hold(job.mu);
  return job.record.stalled_attempts;
}

std::string ResourceNameOf(absl::string_view job) { return absl::StrCat("trainJobs/", job); }

}  // namespace sluiced::jobs
