// JobWatch: a watch over a job's stored updates, then its live ones.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "absl/base/thread_annotations.h"
#include "server/jobs/job_manager.h"
#include "server/jobs/update_log.h"

namespace sluiced::jobs {

// Reads the store, in pages, until it has caught up with the job's log once; from
// then on the log alone, skipping what fell out of it. Thread-safe. The store
// must outlive it.
class JobWatch : public Watch {
 public:
  // `log`: null for a job that has ended.
  JobWatch(store::Store* store, std::string job, int64_t after_sequence,
           std::shared_ptr<UpdateLog> log, std::function<void()> ready);
  ~JobWatch() override;

  absl::StatusOr<Next> TryNext() override;

 private:
  absl::StatusOr<Next> NextLogged() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<Next> NextStored() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Next Give(UpdateRecord update) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction.
  store::Store* const store_;
  const std::string job_;
  const std::shared_ptr<UpdateLog> log_;
  const std::shared_ptr<Waiter> waiter_;
  // Guarded.
  std::mutex mu_;
  int64_t after_ ABSL_GUARDED_BY(mu_);
  std::deque<UpdateRecord> page_ ABSL_GUARDED_BY(mu_);  // Follows after_.
  bool live_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace sluiced::jobs
