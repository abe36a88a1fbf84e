// What is measured through a server: a process of its own, on this thread's cores,
// and the client library.
#pragma once

#include "tests/bench/shapes.h"

namespace sluiced::bench {

inline constexpr int64_t kJobEpochs = 100;
inline constexpr int64_t kJobBatch = 256;

// One job of kJobEpochs on tests/data/wow.npy, from its creation to its published
// version, every update received.
Work WatchedJob();

// One call of LogProb on `rows` rows, on a model as WatchedJob's.
Work CalledLogProb(int64_t rows);

}  // namespace sluiced::bench
