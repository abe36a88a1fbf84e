// What a CallQueue sends: inference calls and the smallest call that there is.
#pragma once

#include <cstdint>
#include <string>

#include "client/src/call_queue.h"
#include "sluice/types.h"

namespace sluice {

// Rows [first, first + count) of `x`, in one message.
PreparedCall PrepareLogProb(const std::string& model, const Matrix& x, int64_t first,
                            int64_t count);
PreparedCall PrepareSample(const std::string& model, int64_t rows, uint64_t seed);
// gRPC's own health service: a call that computes nothing.
PreparedCall PrepareHealthCheck();

}  // namespace sluice
