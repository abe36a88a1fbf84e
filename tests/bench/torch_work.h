// What is measured, in LibTorch's eager operations: as the flow's reference computes
// it here, masked columns left out and both nets of a layer in one product; and as
// modules, the flow that torch_modules.h spells out.
#pragma once

#include "tests/bench/shapes.h"

namespace sluiced::bench {

// Of LibTorch's own, from here on.
void SetTorchThreads(int threads);

Work ReferenceLogProb(const Shape& shape, int64_t rows);
Work ReferenceSample(const Shape& shape, int64_t rows);
Work ReferenceStep(const Shape& shape, int64_t rows);

Work ModulesLogProb(const Shape& shape, int64_t rows);
Work ModulesSample(const Shape& shape, int64_t rows);
Work ModulesStep(const Shape& shape, int64_t rows);
// One epoch over `rows` (float32): shuffled, in batches, the loss of each looked at.
Work ModulesEpoch(const Array& rows, int64_t batch_size);

}  // namespace sluiced::bench
