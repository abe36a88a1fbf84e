// How much memory there is for this process.
#pragma once

#include <cstdint>

namespace sluiced {

// Bytes: the machine's or, where that is less, what the process's control group may use, of a
// container or a service.
int64_t MachineMemory();

}  // namespace sluiced
