// What is measured of a train job: a server of its own, a client that watches.
#pragma once

#include "tests/bench/shapes.h"

namespace sluiced::bench {

inline constexpr int64_t kJobEpochs = 100;
inline constexpr int64_t kJobBatch = 256;

// One job of kJobEpochs on tests/data/wow.npy, from its creation to its published
// version, every update received. The server inherits this thread's cores.
Work WatchedJob();

}  // namespace sluiced::bench
