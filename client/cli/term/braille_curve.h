// A small curve of Unicode's braille dots.
#pragma once

#include <string>
#include <vector>

namespace sluice::cli {

// `rows` lines of `columns` characters, two dots across and four down in each. The
// curve joins `values` from left to right; the highest 2 % may be cut off at the
// top, so that a first huge loss does not flatten the rest. Values that are not
// finite are left out. Blank lines where nothing is left.
std::vector<std::string> BrailleCurve(const std::vector<double>& values, int columns, int rows);

}  // namespace sluice::cli
