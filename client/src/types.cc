#include "sluice/types.h"

#include <iterator>

namespace sluice {

const char* NameOf(Executor executor) {
  static constexpr const char* kNames[] = {"auto", "engine", "torch"};
  const auto index = static_cast<size_t>(executor);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

const char* NameOf(JobState state) {
  static constexpr const char* kNames[] = {"QUEUED",    "RUNNING", "PAUSED",   "CANCELLING",
                                           "SUCCEEDED", "FAILED",  "CANCELLED"};
  const auto index = static_cast<size_t>(state);
  return index < std::size(kNames) ? kNames[index] : "UNKNOWN";
}

bool IsTerminal(JobState state) {
  return state == JobState::kSucceeded || state == JobState::kFailed ||
         state == JobState::kCancelled;
}

}  // namespace sluice
