// Points spread evenly over the letters of a text.
#pragma once

#include <cstdint>
#include <string>

#include "sluice/result.h"
#include "sluice/types.h"

namespace sluice::plot {

// `rows` points [rows, 2] (float32), uniform on the ink of `text` in bold DejaVu
// Sans. The ink is 4 high and centred on the origin; a text more than twice as
// wide as high is squeezed to a width of 8. The same arguments and font give the same
// points. INVALID_ARGUMENT for a text without ink or longer than 64 bytes.
Result<Matrix> TextPoints(const std::string& text, int64_t rows, uint64_t seed);

}  // namespace sluice::plot
