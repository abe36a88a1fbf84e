// Comma-separated numbers, with or without a header line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sluice/result.h"
#include "sluice/types.h"

namespace sluice::cli {

// Cells parted by commas, semicolons, tabs or spaces. A first line of which no
// cell is a number is a header. Errors name the line.
Result<Matrix> DecodeCsv(std::string_view text);

// Shortest text that reads back to the same number. No header when `names` is empty.
std::string EncodeCsv(const Matrix& rows, const std::vector<std::string>& names);

}  // namespace sluice::cli
