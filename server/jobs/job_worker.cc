// The threads that run jobs.
#include <algorithm>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/jobs/job_manager_impl.h"
#include "server/jobs/job_state.h"
#include "server/jobs/run_context.h"

namespace sluiced::jobs {

void JobManagerImpl::Work() {
  while (JobPtr job = TakeNext()) {
    EndRun(job, RunJob(job));
  }
}

JobPtr JobManagerImpl::TakeNext() {
  for (;;) {
    Wakeups wakeups;
    std::unique_lock<std::mutex> lock(mu_);
    changed_.wait(lock, [this] {
      return draining_ || (!queue_.empty() && MayStartLocked(*queue_.begin()->second));
    });
    if (draining_) return nullptr;
    JobPtr job = queue_.begin()->second;
    if (MoveLocked(job, {.to = JobState::kRunning}, &wakeups).ok()) {
      DequeueLocked(*job);
      job->started_here = true;
      running_.insert(job);
      return job;
    }
    // The store refuses to write, as on a full disk: the job keeps its place.
    WaitToSaveAgain(&lock);
  }
}

bool JobManagerImpl::MayStartLocked(Job& job) {
  if (!running_.empty() && job.memory > options_.max_memory - RunningMemoryLocked()) return false;
  const bool suspect = StalledAttemptsOf(job) > 0;
  // Of one that runs its present attempt counts, until it saves a checkpoint.
  return std::ranges::none_of(running_, [suspect](const JobPtr& other) {
    const int stalled = StalledAttemptsOf(*other);
    return stalled > 1 || (suspect && stalled == 1);
  });
}

void JobManagerImpl::WaitToSaveAgain(std::unique_lock<std::mutex>* lock) {
  changed_.wait_for(*lock, absl::ToChronoMilliseconds(options_.save_retry),
                    [this] { return draining_; });
}

absl::StatusOr<RunResult> JobManagerImpl::RunJob(const JobPtr& job) {
  JobRunContext context(store_, job, options_.keep_updates, [this] {
    std::lock_guard<std::mutex> hold(mu_);
    changed_.notify_all();  // Others may start beside it.
  });
  try {
    return run_(RecordOf(*job), context);
  } catch (const std::exception& exception) {
    return absl::InternalError(exception.what());
  }
}

JobManagerImpl::Change JobManagerImpl::FailedChange(std::string error) const {
  std::string last = options_.encode_error ? options_.encode_error(error) : error;
  return {.to = JobState::kFailed, .payload = std::move(last), .error = std::move(error)};
}

JobManagerImpl::Change JobManagerImpl::ChooseEndLocked(Job& job,
                                                       const absl::StatusOr<RunResult>& result) {
  const std::string payload = result.ok() ? result->last_payload : "";
  if (RecordOf(job).state == JobState::kCancelling) {
    return {.to = JobState::kCancelled, .payload = payload};
  }
  if (!result.ok()) return FailedChange(std::string(result.status().message()));
  if (result->publication) {
    return {.to = JobState::kSucceeded, .payload = payload, .publication = &*result->publication};
  }
  if (job.pause_requested) return {.to = JobState::kPaused};
  if (draining_) return {.to = JobState::kQueued};
  return FailedChange("the run stopped without a result and without being asked to");
}

void JobManagerImpl::EndRun(const JobPtr& job, absl::StatusOr<RunResult> result) {
  Wakeups wakeups;
  std::unique_lock<std::mutex> lock(mu_);
  for (;;) {
    const Change change = ChooseEndLocked(*job, result);
    const absl::StatusOr<UpdateRecord> update = SaveLocked(*job, change, nullptr);
    if (update.ok()) {
      if (change.publication != nullptr && options_.on_published) {
        const JobRecord published = RecordOf(*job);
        // Before the update is shown: who sees it finds the version served.
        lock.unlock();
        options_.on_published(change.publication->version.model, published.version);
        lock.lock();
      }
      job->pause_requested = false;
      if (!draining_) job->signal.store(Signal::kContinue);
      job->log->Publish(*update, &wakeups);
      LetGoIfEndedLocked(job, update->state);
      break;
    }
    // Unsaved, the job is RUNNING in the store: the next process takes it up.
    if (draining_) break;
    if (change.publication != nullptr) {
      result = absl::Status(update.status().code(),
                            absl::StrCat("could not be published: ", update.status().message()));
    } else {
      WaitToSaveAgain(&lock);
    }
  }
  running_.erase(job);
  changed_.notify_all();
}

}  // namespace sluiced::jobs
