// FaultPlan: what goes wrong around a server, in memory that a test shares with it.
#pragma once

#include <atomic>
#include <cstdint>

namespace sluice::testing {

inline constexpr char kFaultPlanVariable[] = "SLUICE_TEST_FAULTS";  // Names its file.

struct FaultPlan {
  std::atomic<int64_t> clock_seconds;  // How far the system's clock is off.
  std::atomic<int> write_error;        // Of every write to a file's place; 0: none.
  std::atomic<int64_t> failed_writes;  // So far.
};

}  // namespace sluice::testing
