// FairQueue: work that waits for a thread, taken so that each lane gets its share of
// the threads' time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

namespace sluiced::serving {

// Whose work it is: what has the same owner waits in one line.
struct Lane {
  const void* owner = nullptr;
  friend auto operator<=>(const Lane&, const Lane&) = default;
};

// Start-time fair queueing (Goyal, Vin and Cheng 1996), by measured time: the lane that
// has used least goes first, its own work in order of arrival. One that had nothing to
// do saves up nothing. Thread-safe.
class FairQueue {
 public:
  using Work = std::function<void()>;

  void Push(Lane lane, Work work);
  // There must be work.
  std::pair<Lane, Work> Pop();
  // Once for each Pop, when the work has run.
  void Charge(Lane lane, absl::Duration used);

 private:
  struct Line {
    std::deque<Work> waiting;
    int running = 0;
    absl::Duration used;  // Counted from that of the others when it came.
    int64_t turn = 0;     // Of lines that used as much, the lowest first.
  };
  using Place = std::pair<absl::Duration, int64_t>;

  std::mutex mu_;
  std::map<Lane, Line> lines_ ABSL_GUARDED_BY(mu_);     // That wait or run.
  std::map<Place, Lane> waiting_ ABSL_GUARDED_BY(mu_);  // In the order of their turns.
  absl::Duration used_ ABSL_GUARDED_BY(mu_);            // By the line that went last.
  int64_t turns_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace sluiced::serving
