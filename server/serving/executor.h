// Executor: admits work to a fixed number of threads, which take turns among its lanes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/common/thread_pool.h"
#include "server/serving/caller.h"
#include "server/serving/fair_queue.h"

namespace sluiced::serving {

// What new work is refused with: RESOURCE_EXHAUSTED (RetryInfo).
absl::Status QueueFull(absl::string_view queue);

// Thread-safe. The destructor ends what was admitted, then joins the threads. Work is
// never interrupted: what takes long is cut into parts.
class Executor {
 public:
  // Called once, on a thread of the pool: with OK it may compute and block; with
  // DEADLINE_EXCEEDED or CANCELLED nobody wants the answer any more and it must
  // only say so. An exception out of it ends the process.
  using Work = std::function<void(absl::Status wanted)>;

  // `name` says in errors what is busy ("compute"). At most `max_queued` pieces of
  // new work wait for a thread.
  Executor(std::string name, int threads, size_t max_queued);

  // New work. Never blocks. RESOURCE_EXHAUSTED (RetryInfo) when the queue is full:
  // `work` is then never called.
  absl::Status Post(const Caller& caller, Work work, Lane lane = {});

  // The next piece of what was admitted and has run: never refused, so that a stream
  // does not break half way.
  void Continue(const Caller& caller, Work work, Lane lane = {});

  // part(0) ... part(parts - 1), on as many threads as are free, others' work between
  // them; then done(), on the thread of the last one. Never blocks. parts >= 1.
  void ForParts(int64_t parts, std::function<void(int64_t part)> part, std::function<void()> done);

  size_t queued() const { return queued_.load(std::memory_order_relaxed); }  // New work.
  size_t max_queued() const { return max_queued_; }

 private:
  void Push(Lane lane, FairQueue::Work work);

  const std::string name_;
  const size_t max_queued_;
  const int threads_;
  std::atomic<size_t> queued_ = 0;  // New work that waits.
  FairQueue queue_;
  ThreadPool pool_;
};

}  // namespace sluiced::serving
