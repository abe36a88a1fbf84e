// UpdateLog: the latest updates of one unfinished job, and who waits for more.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/jobs/job_manager.h"
#include "server/store/records.h"

namespace sluiced::jobs {

// Calls one watcher's `ready`. Thread-safe.
class Waiter {
 public:
  explicit Waiter(std::function<void()> ready) : ready_(std::move(ready)) {}
  void Fire();
  // `ready` is not called after this; waits for a call in progress, unless that
  // call is what retires.
  void Retire();

  bool listed = false;  // Guarded by the lock of the log that it waits for.

 private:
  std::recursive_mutex mu_;
  std::function<void()> ready_ ABSL_GUARDED_BY(mu_);
};

// Fires waiters when it goes out of scope. Declared before a lock is taken, it
// calls watchers only when that lock is free again.
class Wakeups {
 public:
  Wakeups() = default;
  Wakeups(const Wakeups&) = delete;
  Wakeups& operator=(const Wakeups&) = delete;
  ~Wakeups();
  void Add(std::shared_ptr<Waiter> waiter) { waiters_.push_back(std::move(waiter)); }

 private:
  std::vector<std::shared_ptr<Waiter>> waiters_;
};

// Thread-safe; no call waits for a watcher or for the store. All watchers of the
// job read the same ring: one that falls out of it has skipped updates, never
// the last one, after which nothing is published.
class UpdateLog {
 public:
  // `last_sequence`: of the updates that only the store has.
  UpdateLog(int64_t last_sequence, const WatchOptions& options);

  // A watcher comes, and goes: its waiter is not told any more.
  void Join();
  void Leave(const std::shared_ptr<Waiter>& waiter);

  // Sequences follow each other without a gap.
  void Publish(const store::UpdateRecord& update, Wakeups* wakeups);
  // Ends all watches with `status`.
  void Close(absl::Status status, Wakeups* wakeups);

  enum class Outcome {
    kUpdate,   // `update` is the next one.
    kBehind,   // The next one is in the store alone.
    kWaiting,  // There is none yet; `waiter` fires once when there is.
    kEnded,
  };
  struct Found {
    Outcome outcome;
    store::UpdateRecord update;
  };
  // The first update past `after` that the ring holds, in a crowd the last; where that leaves
  // a gap, kBehind unless `may_skip`.
  absl::StatusOr<Found> Next(int64_t after, bool may_skip, const std::shared_ptr<Waiter>& waiter);

 private:
  using Waiters = std::deque<std::shared_ptr<Waiter>>;

  bool CrowdedLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return watchers_ > options_.crowd;
  }
  // Those of a crowd whose turn it is.
  size_t TurnsLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WakeLocked(size_t count, Wakeups* wakeups) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const WatchOptions options_;
  std::mutex mu_;
  std::deque<store::UpdateRecord> recent_ ABSL_GUARDED_BY(mu_);
  int64_t last_sequence_ ABSL_GUARDED_BY(mu_);
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status closed_ ABSL_GUARDED_BY(mu_);
  int watchers_ ABSL_GUARDED_BY(mu_) = 0;
  Waiters waiting_ ABSL_GUARDED_BY(mu_);   // In the order in which they came.
  double turns_ ABSL_GUARDED_BY(mu_) = 0;  // That a crowd has now, as of:
  absl::Time turns_time_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
};

}  // namespace sluiced::jobs
