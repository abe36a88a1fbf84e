// LatencyWindow: the calls of the last minute, and how long they took.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "absl/base/thread_annotations.h"

namespace sluiced::observe {

// Thread-safe. A histogram of fine steps for each of a few seconds, the oldest of which
// is used again: an observation costs some ten nanoseconds, and memory is fixed.
class LatencyWindow {
 public:
  using Clock = std::chrono::steady_clock;

  struct Call {
    double seconds = 0;
    int64_t rows = 0;
    bool failed = false;
  };
  void Add(const Call& call, Clock::time_point now = Clock::now());

  // Quantiles are right to 10 %; 0 without calls.
  struct Recent {
    int64_t calls = 0, failed = 0, rows = 0;
    double p50 = 0, p90 = 0, p99 = 0;
  };
  Recent Read(Clock::time_point now = Clock::now()) const;
  // How far it reaches back: 55 to 60 s.
  static Clock::duration Length(Clock::time_point now = Clock::now());

 private:
  // Four steps an octave, from 1 us to some half an hour.
  static constexpr size_t kSteps = 124;
  static constexpr int64_t kSlots = 12;
  static constexpr Clock::duration kSpan = std::chrono::seconds(5);
  using Counts = std::array<uint32_t, kSteps>;
  struct Slot {
    int64_t number = -1;  // Of its span of time.
    int64_t failed = 0, rows = 0;
    Counts counts{};
  };

  static size_t StepOf(double seconds);
  static double QuantileOf(const Counts& counts, int64_t calls, double quantile);
  static int64_t NumberAt(Clock::time_point now);

  // Not absl::Mutex: ThreadSanitizer does not see the locks of Debian's absl.
  mutable std::mutex mu_;
  std::array<Slot, kSlots> slots_ ABSL_GUARDED_BY(mu_);
};

}  // namespace sluiced::observe
