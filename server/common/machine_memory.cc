#include "server/common/machine_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace sluiced {
namespace {

// Version 2's, then version 1's; as a container sees its own.
constexpr const char* kGroupLimits[] = {"/sys/fs/cgroup/memory.max",
                                        "/sys/fs/cgroup/memory/memory.limit_in_bytes"};

}  // namespace

int64_t MachineMemory() {
  int64_t bytes = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  for (const char* path : kGroupLimits) {
    int64_t limit = 0;
    // "max", where there is none, is no number.
    if (std::ifstream(path) >> limit && limit > 0) bytes = std::min(bytes, limit);
  }
  return bytes;
}

}  // namespace sluiced
