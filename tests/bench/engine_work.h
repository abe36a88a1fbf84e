// What is measured, on the engine. No LibTorch here.
#pragma once

#include "tests/bench/shapes.h"

namespace sluiced::bench {

Work EngineLogProb(const Shape& shape, int64_t rows, int threads);
Work EngineSample(const Shape& shape, int64_t rows);
// Loss, gradient and Adam, with clipping.
Work EngineStep(const Shape& shape, int64_t rows, int threads);
// Of one row: a multiply-add each counts two.
double FlopsOf(const Shape& shape);

}  // namespace sluiced::bench
