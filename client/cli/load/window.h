// Window: what a load saw during a stretch of time.
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "client/cli/load/histogram.h"
#include "sluice/result.h"

namespace sluice::cli {

struct Window {
  double seconds = 0;
  Histogram latency;               // Of the calls that ended well: one entry each.
  std::map<Code, int64_t> errors;  // The others, by code.
  Status first_error;

  double CallsPerSecond() const {
    return seconds > 0 ? static_cast<double>(latency.count()) / seconds : 0;
  }
  int64_t ErrorCount() const;
  void Merge(const Window& other);
};

// Whether throughput and mean latency of each are within `tolerance` of the mean of
// all, as Triton's perf_analyzer asks for. Windows in which nothing ended agree with
// nothing.
bool Agree(std::span<const Window> windows, double tolerance);

}  // namespace sluice::cli
