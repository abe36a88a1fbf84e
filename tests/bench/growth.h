// Growth: how the cost of a call grows with rows, layers, width and dim.
#pragma once

#include <string>

#include "tests/bench/suite.h"

namespace sluiced::bench {

// One thing at a time grows.
void RegisterGrowth(Suite& suite);
// After the run; PNG.
std::string DrawGrowth(const MedianReporter& medians);

}  // namespace sluiced::bench
