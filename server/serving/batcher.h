// Batcher: LogProb calls that wait for a thread anyway, computed together.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "server/common/array.h"
#include "server/serving/caller.h"
#include "server/serving/executor.h"
#include "server/serving/inference.h"

namespace sluiced::serving {

struct BatcherOptions {
  int64_t max_rows = 1024;                      // Of one batch; a call alone may have more.
  absl::Duration delay = absl::ZeroDuration();  // That a call waits for others to come.
  size_t max_waiting = 1024;                    // Calls.
  // Told of each batch, on a thread of the executor; never blocks.
  std::function<void(int64_t calls, int64_t rows)> on_batch = nullptr;
};

// Thread-safe. The calls of one flow wait in one line; a thread that gets to it takes as
// many as make a batch, so that a busy server has fewer, larger pieces of work and an idle
// one delays nobody. In the engine a call's answer has the same bits in every batch; LibTorch's
// may differ in the last ones. No call may be under way when it is deleted.
class Batcher {
 public:
  // Does not own `compute`, which must outlive it.
  Batcher(Executor* compute, const BatcherOptions& options);
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // Calls `done` once, on a thread of `compute`, or now with RESOURCE_EXHAUSTED (RetryInfo)
  // when too many calls wait. A caller who has left is told so, and not computed for. x: of
  // the flow's dtype, [n, dim], finite. `begun`, unless null, is called before `done` where
  // the call is computed, when that begins.
  void LogProb(FlowPtr flow, Array x, const Caller& caller, Done<Scores> done,
               std::function<void()> begun = nullptr);

  size_t waiting() const;  // Calls.
  size_t max_waiting() const { return options_.max_waiting; }

 private:
  struct Call {
    Array x;
    Caller caller;
    Done<Scores> done;
    std::function<void()> begun;
  };
  // Nobody sets it.
  using Clock = std::chrono::steady_clock;
  struct Line {
    FlowPtr flow;
    std::deque<Call> calls;
    int64_t rows = 0;
    bool posted = false;    // A thread will come.
    Clock::time_point due;  // When it is sent for, at the latest.
  };
  using Lines = std::map<const flows::Flow*, Line>;

  void PostLocked(Line* line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::deque<Call> TakeLocked(Lines::iterator at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RunBatch(const FlowPtr& flow);
  void TellBegun(const std::vector<Call*>& calls) const;
  void PostWhenDue();

  Executor* const compute_;
  const BatcherOptions options_;
  mutable std::mutex mu_;
  std::condition_variable changed_;
  Lines lines_ ABSL_GUARDED_BY(mu_);  // That have calls.
  size_t waiting_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread timer_;  // Only where there is a delay.
};

}  // namespace sluiced::serving
