// Caller: who waits for an answer, and until when.
#pragma once

#include <atomic>
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
      : deadline_(deadline), cancelled_(std::move(cancelled)) {}

  // DEADLINE_EXCEEDED or CANCELLED once nobody wants the answer any more.
  absl::Status Check() const {
    if (absl::Now() >= deadline_) return absl::DeadlineExceededError("the deadline has passed");
    if (cancelled_ && cancelled_->load(std::memory_order_acquire)) {
      return absl::CancelledError("the caller is gone");
    }
    return absl::OkStatus();
  }

 private:
  absl::Time deadline_ = absl::InfiniteFuture();
  std::shared_ptr<const std::atomic<bool>> cancelled_;
};

}  // namespace sluiced::serving
