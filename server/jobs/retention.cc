#include "server/jobs/retention.h"

#include <utility>
#include <vector>

#include "server/common/status_macros.h"

namespace sluiced::jobs {
namespace {

constexpr int64_t kPageSize = 256;

}  // namespace

absl::Status TrimAllUpdates(store::Store* store, int64_t keep) {
  for (store::Page page{.limit = kPageSize, .after = {}};;) {
    ASSIGN_OR_RETURN(const std::vector<store::JobRecord> jobs, store->ListJobs(page, ""));
    for (const store::JobRecord& job : jobs) {
      if (job.last_sequence <= keep) continue;
      const absl::Status trimmed = store->TrimUpdates(job.id, keep);
      // Deleted meanwhile, it has none left.
      if (!trimmed.ok() && !absl::IsNotFound(trimmed)) return trimmed;
    }
    if (jobs.size() < kPageSize) return absl::OkStatus();
    page.after = jobs.back().id;
  }
}

absl::Status ForgetEndedJobs(store::Store* store, const RetentionOptions& options) {
  if (!options.keep_ended) return absl::OkStatus();
  return store->ForgetJobsEndedBefore(options.now() - *options.keep_ended);
}

Retention::Retention(store::Store* store, RetentionOptions options)
    : store_(store), options_(std::move(options)), thread_([this] { Work(); }) {}

Retention::~Retention() {
  {
    std::lock_guard<std::mutex> hold(mu_);
    ended_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void Retention::Work() {
  Report(TrimAllUpdates(store_, options_.keep_updates));
  do {
    Report(ForgetEndedJobs(store_, options_));
  } while (AwaitNextRound());
}

void Retention::Report(const absl::Status& status) const {
  if (!status.ok()) options_.on_error(status);
}

bool Retention::AwaitNextRound() {
  std::unique_lock<std::mutex> lock(mu_);
  changed_.wait_for(lock, absl::ToChronoMilliseconds(options_.period), [this] { return ended_; });
  return !ended_;
}

}  // namespace sluiced::jobs
