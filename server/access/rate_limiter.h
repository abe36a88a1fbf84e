// RateLimiter: how often each caller may call.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluiced::access {

struct Rate {
  double per_second = 0;
  double burst = 1;  // Calls that may come at once after a rest.
};

// "10", "0.5" or "10:20": REQUESTS_PER_SECOND[:BURST]. Without a burst, that of one
// second, and at least 1.
absl::StatusOr<Rate> ParseRate(absl::string_view text);

// A token bucket for each caller, kept as the time at which it will be full again.
// Thread-safe. A caller whose bucket is full takes no memory for long.
class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;
  using Now = std::function<Clock::time_point()>;

  explicit RateLimiter(const Rate& rate, Now now = Clock::now);

  // Zero when `caller` may go on; else how long to wait, and nothing is taken.
  absl::Duration Take(const std::string& caller);

  size_t callers() const;  // Of whom something is remembered.

 private:
  void ForgetRestedLocked(Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction.
  const Now now_;
  const Clock::duration interval_;  // Between two calls at the rate.
  const Clock::duration slack_;     // How far ahead of the rate a burst may be.
  // Guarded.
  mutable std::mutex mu_;
  std::unordered_map<std::string, Clock::time_point> full_at_ ABSL_GUARDED_BY(mu_);
  size_t forget_at_ ABSL_GUARDED_BY(mu_);
};

}  // namespace sluiced::access
