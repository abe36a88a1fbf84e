// How much memory there is for this process.
#pragma once

#include <cstdint>
#include <string>

namespace sluiced {

// Bytes: the machine's or, where that is less, what the process's control group may use, as
// that of a container or a service.
int64_t MachineMemory();

// The least limit of a control group and those around it, in bytes; the largest number where
// there is none. root: "/sys/fs/cgroup"; groups: what /proc/self/cgroup holds.
int64_t GroupMemory(const std::string& root, const std::string& groups);

}  // namespace sluiced
