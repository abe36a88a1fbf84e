// Where an axis is marked, and with what text.
#pragma once

#include <string>
#include <vector>

#include "client/cli/plot/geometry.h"

namespace sluice::plot {

struct Tick {
  double value = 0;
  std::string label;
};

// At most `most` (>= 2) multiples of 1, 2 or 5 times a power of ten within the
// range, all labelled with the same number of decimals. None where the range is
// empty or not finite.
std::vector<Tick> NiceTicks(Range range, int most);

// The range widened by `fraction` of its span on both sides; a range of no width
// becomes one of width 1.
Range Padded(Range range, double fraction);

// The smallest range that holds the finite ones of `values`; [0, 1] where none is.
Range RangeOf(const std::vector<double>& values);

// The value below which a fraction `q` of the finite `values` lie; 0 where none is.
double Quantile(std::vector<double> values, double q);

}  // namespace sluice::plot
