// A mean and how sure one may be of it.
#pragma once

#include <span>

namespace sluiced::evaluation {

struct MeanError {
  double mean = 0;
  double error = 0;  // Standard error.
};

// 0 of no values.
MeanError MeanOf(std::span<const double> values);
// Of `hits` in `count` trials.
MeanError ShareOf(double hits, double count);

}  // namespace sluiced::evaluation
