#include "server/evaluation/mean_error.h"

#include <algorithm>
#include <cmath>

namespace sluiced::evaluation {

MeanError MeanOf(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  double mean = 0, squares = 0;
  for (double v : values) mean += v / count;
  for (double v : values) squares += (v - mean) * (v - mean);
  return {mean, std::sqrt(squares / std::max(count - 1, 1.0) / std::max(count, 1.0))};
}

MeanError ShareOf(double hits, double count) {
  const double share = hits / std::max(count, 1.0);
  return {share, std::sqrt(share * (1 - share) / std::max(count, 1.0))};
}

}  // namespace sluiced::evaluation
