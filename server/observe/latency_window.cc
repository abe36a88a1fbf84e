#include "server/observe/latency_window.h"

#include <algorithm>
#include <cmath>

namespace sluiced::observe {
namespace {

constexpr double kShortest = 1e-6;
constexpr double kStepsPerOctave = 4;

}  // namespace

size_t LatencyWindow::StepOf(double seconds) {
  if (!(seconds > kShortest)) return 0;
  const double step = std::log2(seconds / kShortest) * kStepsPerOctave;
  return std::min(static_cast<size_t>(step), kSteps - 1);
}

int64_t LatencyWindow::NumberAt(Clock::time_point now) { return now.time_since_epoch() / kSpan; }

LatencyWindow::Clock::duration LatencyWindow::Length(Clock::time_point now) {
  return (kSlots - 1) * kSpan + now.time_since_epoch() % kSpan;
}

void LatencyWindow::Add(const Call& call, Clock::time_point now) {
  const size_t step = StepOf(call.seconds);
  const int64_t number = NumberAt(now);
  std::lock_guard<std::mutex> lock(mu_);
  Slot& slot = slots_[static_cast<size_t>(number % kSlots)];
  if (slot.number != number) {
    slot = Slot();
    slot.number = number;
  }
  ++slot.counts[step];
  slot.rows += call.rows;
  slot.failed += call.failed ? 1 : 0;
}

// The middle of the step in which the quantile lies.
double LatencyWindow::QuantileOf(const Counts& counts, int64_t calls, double quantile) {
  const auto rank = static_cast<int64_t>(std::ceil(quantile * static_cast<double>(calls)));
  int64_t below = 0;
  for (size_t step = 0; step < kSteps; ++step) {
    below += counts[step];
    if (below < rank) continue;
    return kShortest * std::exp2((static_cast<double>(step) + 0.5) / kStepsPerOctave);
  }
  return 0;
}

LatencyWindow::Recent LatencyWindow::Read(Clock::time_point now) const {
  const int64_t oldest = NumberAt(now) - kSlots + 1;
  Recent recent;
  Counts counts{};
  {
    std::lock_guard<std::mutex> lock(mu_);
    for (const Slot& slot : slots_) {
      if (slot.number < oldest) continue;
      for (size_t step = 0; step < kSteps; ++step) counts[step] += slot.counts[step];
      recent.rows += slot.rows;
      recent.failed += slot.failed;
    }
  }
  for (const uint32_t count : counts) recent.calls += count;
  if (recent.calls == 0) return recent;
  recent.p50 = QuantileOf(counts, recent.calls, 0.5);
  recent.p90 = QuantileOf(counts, recent.calls, 0.9);
  recent.p99 = QuantileOf(counts, recent.calls, 0.99);
  return recent;
}

}  // namespace sluiced::observe
