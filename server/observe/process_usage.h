// What this process takes of the machine.
#pragma once

#include <cstdint>

namespace sluiced::observe {

// 0 where /proc does not say.
struct ProcessUsage {
  int64_t resident_bytes = 0;
  int64_t virtual_bytes = 0;
  int64_t open_files = 0;
  int64_t max_files = 0;
  double cpu_seconds = 0;
  double start_time = 0;  // Seconds since 1970.
};
ProcessUsage ReadProcessUsage();

}  // namespace sluiced::observe
