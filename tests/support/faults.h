// Faults: lets a test put the clock wrong and the disk out of order under the servers that
// it starts.
#pragma once

#include <chrono>

#include "tests/support/fault_plan.h"
#include "tests/support/temp_dir.h"

namespace sluice::testing {

// Holds for the processes started while it lives. One at a time; throws where it fails.
class Faults {
 public:
  Faults();
  ~Faults();
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  // From now on, in place of what was said before.
  void PutClockOff(std::chrono::seconds by) { plan_->clock_seconds = by.count(); }
  void FailWrites(int error) { plan_->write_error = error; }
  int64_t failed_writes() const { return plan_->failed_writes; }
  void HealWrites() { plan_->write_error = 0; }

 private:
  const TempDir dir_;
  FaultPlan* plan_ = nullptr;
};

}  // namespace sluice::testing
