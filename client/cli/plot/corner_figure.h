// Every pair of coordinates of samples in many dimensions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/types.h"

namespace sluice::plot {

inline constexpr int64_t kMostCornerColumns = 6;

struct CornerPicture {
  std::string title;
  Matrix model;                // [n, dim]
  std::optional<Matrix> data;  // [m, dim]: above the diagonal, and dashed on it.
  std::vector<std::string> names;
};

// PNG of the first kMostCornerColumns columns: the model's pairs below the
// diagonal, each column's density on it.
std::string DrawCorner(const CornerPicture& picture);

}  // namespace sluice::plot
