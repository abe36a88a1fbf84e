// Measurement: windows of a load until they agree.
#pragma once

#include <functional>

#include "client/cli/load/load.h"
#include "client/cli/load/window.h"

namespace sluice::cli {

inline constexpr int kWindowsThatAgree = 3;

struct Measurement {
  Window window;  // The last kWindowsThatAgree together.
  bool stable = false;
  int windows = 0;  // That it took.
};

struct MeasurementRule {
  double window_seconds = 1;
  int most_windows = 10;
  double tolerance = 0.1;
};

// Blocks. Ends when the last windows agree, when there were too many, or when
// `go_on`, asked after each window, says no.
Measurement Measure(Load& load, const MeasurementRule& rule,
                    const std::function<bool(const Window&)>& go_on);

}  // namespace sluice::cli
