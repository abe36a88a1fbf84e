// Retention: what is kept of jobs, and for how long.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/store/store.h"

namespace sluiced::jobs {

struct RetentionOptions {
  int64_t keep_updates = 100'000;  // Of each job: the last ones.
  // After its end a job keeps its record and its last update alone; absent: it keeps all.
  std::optional<absl::Duration> keep_ended;
  absl::Duration period = absl::Minutes(10);
  std::function<absl::Time()> now = [] { return absl::Now(); };
  // What kept a round from its end; the next one tries again. On the thread's own.
  std::function<void(const absl::Status&)> on_error = [](const absl::Status&) {};
};

// Removes what is too much of the jobs that an earlier process ran: those that run now
// see to their updates themselves (Options::keep_updates).
absl::Status TrimAllUpdates(store::Store* store, int64_t keep);
// Removes what ended jobs leave behind, where it has been kept long enough.
absl::Status ForgetEndedJobs(store::Store* store, const RetentionOptions& options);

// Does both on a thread of its own: at once, and the second one every period. The
// destructor waits for a round that is under way. Does not own the store.
class Retention {
 public:
  Retention(store::Store* store, RetentionOptions options);
  ~Retention();
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;

 private:
  void Work();
  void Report(const absl::Status& status) const;
  bool AwaitNextRound();  // False at the end.

  // Constant after construction.
  store::Store* const store_;
  const RetentionOptions options_;
  // Guarded.
  std::mutex mu_;
  std::condition_variable changed_;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;

  std::thread thread_;
};

}  // namespace sluiced::jobs
