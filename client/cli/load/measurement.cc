#include "client/cli/load/measurement.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <thread>
#include <vector>

namespace sluice::cli {

Measurement Measure(Load& load, const MeasurementRule& rule,
                    const std::function<bool(const Window&)>& go_on) {
  Measurement result;
  std::vector<Window> last;
  load.Cut();
  while (!result.stable && result.windows < rule.most_windows) {
    std::this_thread::sleep_for(std::chrono::duration<double>(rule.window_seconds));
    last.push_back(load.Cut());
    ++result.windows;
    if (last.size() > kWindowsThatAgree) last.erase(last.begin());
    result.stable = last.size() == kWindowsThatAgree && Agree(last, rule.tolerance);
    if (!go_on(last.back())) break;
  }
  for (const Window& window : last) result.window.Merge(window);
  return result;
}

}  // namespace sluice::cli
