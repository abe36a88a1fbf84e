// Caller: who waits for an answer, and until when.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace sluiced::serving {

// Regular value type; copies share the same cancellation. Thread-safe.
class Caller {
 public:
  // One that waits for ever.
  Caller() = default;
  Caller(absl::Time deadline, std::shared_ptr<const std::atomic<bool>> cancelled)
      : deadline_(Clock::now() + Left(deadline)), cancelled_(std::move(cancelled)) {}

  // DEADLINE_EXCEEDED or CANCELLED once nobody wants the answer any more.
  absl::Status Check() const {
    if (Clock::now() >= deadline_) return absl::DeadlineExceededError("the deadline has passed");
    if (cancelled_ && cancelled_->load(std::memory_order_acquire)) {
      return absl::CancelledError("the caller is gone");
    }
    return absl::OkStatus();
  }

 private:
  // One that the system's clock does not move when it is set.
  using Clock = std::chrono::steady_clock;
  static constexpr absl::Duration kForEver = absl::Hours(24 * 365);

  static Clock::duration Left(absl::Time deadline) {
    return absl::ToChronoNanoseconds(std::min(deadline - absl::Now(), kForEver));
  }

  Clock::time_point deadline_ = Clock::time_point::max();
  std::shared_ptr<const std::atomic<bool>> cancelled_;
};

}  // namespace sluiced::serving
