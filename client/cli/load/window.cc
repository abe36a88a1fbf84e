#include "client/cli/load/window.h"

#include <cmath>

namespace sluice::cli {
namespace {

template <typename Figure>
bool AllNearMean(std::span<const Window> windows, double tolerance, Figure figure) {
  double mean = 0;
  for (const Window& window : windows) mean += figure(window);
  mean /= static_cast<double>(windows.size());
  for (const Window& window : windows) {
    if (std::abs(figure(window) - mean) > tolerance * mean) return false;
  }
  return mean > 0;
}

}  // namespace

int64_t Window::ErrorCount() const {
  int64_t sum = 0;
  for (const auto& [code, count] : errors) sum += count;
  return sum;
}

void Window::Merge(const Window& other) {
  seconds += other.seconds;
  latency.Merge(other.latency);
  for (const auto& [code, count] : other.errors) errors[code] += count;
  if (first_error.ok()) first_error = other.first_error;
}

bool Agree(std::span<const Window> windows, double tolerance) {
  const auto rate = [](const Window& window) { return window.CallsPerSecond(); };
  const auto latency = [](const Window& window) { return window.latency.MeanSeconds(); };
  return !windows.empty() && AllNearMean(windows, tolerance, rate) &&
         AllNearMean(windows, tolerance, latency);
}

}  // namespace sluice::cli
