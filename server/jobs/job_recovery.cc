// Taking up the jobs that the process before left.
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/status_macros.h"
#include "server/jobs/job_manager_impl.h"
#include "server/jobs/job_state.h"

namespace sluiced::jobs {
namespace {

std::string GaveUp(int stops) {
  return absl::StrCat("the server stopped ", stops,
                      " times while running this job, without progress (a new checkpoint) in "
                      "between: the job may crash it or use up its memory, and is not started "
                      "again");
}

}  // namespace

absl::Status JobManagerImpl::Start() {
  ASSIGN_OR_RETURN(std::vector<JobRecord> records, store_->ListUnfinishedJobs());
  std::lock_guard<std::mutex> hold(mu_);
  // In their order, in which those that ran come before all that never did.
  for (JobRecord& record : records) RETURN_IF_ERROR(TakeUpLocked(std::move(record)));
  for (int i = 0; i < options_.max_running; ++i) threads_.emplace_back([this] { Work(); });
  return absl::OkStatus();
}

absl::Status JobManagerImpl::TakeUpLocked(JobRecord record) {
  Wakeups nobody_yet;
  last_order_ = std::max(last_order_, record.order);
  JobState state = record.state;
  const std::string id = record.id;
  const int stalled = record.stalled_attempts;
  const int64_t memory = MemoryOf(record);
  auto job = std::make_shared<Job>(std::move(record), options_.watch, memory);
  jobs_[id] = job;
  if (state == JobState::kCancelling) {
    return MoveLocked(job, {.to = JobState::kCancelled}, &nobody_yet).status();
  }
  if (state == JobState::kRunning && stalled >= options_.max_stalled_attempts) {
    return MoveLocked(job, FailedChange(GaveUp(stalled)), &nobody_yet).status();
  }
  if (state == JobState::kRunning) {
    RETURN_IF_ERROR(MoveLocked(job, {.to = JobState::kQueued}, &nobody_yet).status());
    state = JobState::kQueued;
  }
  if (state == JobState::kQueued) EnqueueLocked(job);
  return absl::OkStatus();
}

}  // namespace sluiced::jobs
