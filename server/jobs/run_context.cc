#include "server/jobs/run_context.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "server/common/status_macros.h"

namespace sluiced::jobs {
namespace {

constexpr int64_t kMostBetweenTrims = 1000;

// Now and then, since a removal costs as much for one update as for many: a job has at
// most a tenth more than it is to keep.
bool IsTrimDue(int64_t sequence, int64_t keep) {
  const int64_t between = std::clamp<int64_t>(keep / 10, 1, kMostBetweenTrims);
  return sequence > keep && sequence % between == 0;
}

}  // namespace

JobRunContext::JobRunContext(store::Store* store, std::shared_ptr<Job> job, int64_t keep_updates,
                             std::function<void()> on_progress)
    : store_(store),
      job_(std::move(job)),
      keep_updates_(keep_updates),
      on_progress_(std::move(on_progress)) {}

Signal JobRunContext::signal() const { return job_->signal.load(std::memory_order_acquire); }

absl::Status JobRunContext::AddUpdate(std::string payload) {
  Wakeups wakeups;
  std::lock_guard<std::mutex> hold(job_->mu);
  const UpdateRecord update{.sequence = job_->record.last_sequence + 1,
                            .time = absl::Now(),
                            .state = job_->record.state,
                            .attempt = job_->record.attempt,
                            .payload = std::move(payload)};
  // Stored first: what a watcher saw is there when it comes back.
  RETURN_IF_ERROR(store_->AppendUpdates(job_->id, {update}));
  job_->record.last_sequence = update.sequence;
  job_->log->Publish(update, &wakeups);
  if (IsTrimDue(update.sequence, keep_updates_)) {
    // What cannot be removed now is removed the next time.
    store_->TrimUpdates(job_->id, keep_updates_).IgnoreError();
  }
  return absl::OkStatus();
}

absl::Status JobRunContext::SaveCheckpoint(std::string checkpoint) {
  RETURN_IF_ERROR(store_->SaveCheckpoint(job_->id, checkpoint));
  int stalled = 0;
  {
    std::lock_guard<std::mutex> hold(job_->mu);
    stalled = std::exchange(job_->record.stalled_attempts, 0);
  }
  if (stalled > 0) on_progress_();
  return absl::OkStatus();
}

absl::StatusOr<std::string> JobRunContext::LoadCheckpoint() {
  return store_->GetCheckpoint(job_->id);
}

absl::Status JobRunContext::SaveSnapshot(int64_t epoch, std::string snapshot) {
  return store_->SaveSnapshot(job_->id, epoch, snapshot);
}

}  // namespace sluiced::jobs
