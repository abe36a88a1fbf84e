// Mean and deviation of numbers, and when they are as good as constant.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace sluiced::training {

// Numbers that differ by less than this fraction of their size are constant, or
// multiples of each other, as far as a flow can tell.
inline constexpr double kRelativeTolerance = 1e-10;

struct Moments {
  double mean = 0, deviation = 0;
};

// Of at(row) over the rows, at least one.
template <typename At>
Moments MomentsOf(const std::vector<int64_t>& rows, const At& at) {
  const auto count = static_cast<double>(rows.size());
  double mean = 0, squares = 0;
  for (int64_t row : rows) mean += at(row) / count;
  for (int64_t row : rows) squares += (at(row) - mean) * (at(row) - mean) / count;
  return {mean, std::sqrt(squares)};
}

inline bool IsConstant(const Moments& moments) {
  return !(moments.deviation > kRelativeTolerance * std::abs(moments.mean));
}

}  // namespace sluiced::training
