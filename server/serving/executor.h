// Executor: admits work to a fixed number of threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "server/common/thread_pool.h"
#include "server/serving/caller.h"

namespace sluiced::serving {

// Thread-safe. The destructor ends what was admitted, then joins the threads.
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
  absl::Status Post(const Caller& caller, Work work);

  // The next piece of a stream whose first piece was admitted and has run: never
  // refused, so that a stream does not break half way. One at a time for each.
  void Continue(const Caller& caller, Work work);

  // For a thread of the pool: part(0) ... part(parts - 1), with the help of threads
  // that have nothing else to do. Returns when all have, and throws what one threw.
  // Help comes late or never when all are busy: the caller does not wait for it.
  void Share(int64_t parts, absl::FunctionRef<void(int64_t part)> part);

 private:
  const std::string name_;
  const size_t max_queued_;
  const int threads_;
  std::atomic<size_t> queued_ = 0;  // New work that waits.
  ThreadPool pool_;
};

}  // namespace sluiced::serving
