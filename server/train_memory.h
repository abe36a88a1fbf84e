// What a train job holds in memory.
#pragma once

#include <cstdint>

#include "server/jobs/job_manager.h"
#include "server/store/store.h"

namespace sluiced {

// Bytes that a run of the job holds, about: its rows, as they are stored and as they are
// trained on, a batch, and the parameters with what goes with them. 0 where the store cannot
// say: such a run fails before it holds anything.
int64_t TrainMemory(store::Store* store, const jobs::JobRecord& job);

}  // namespace sluiced
