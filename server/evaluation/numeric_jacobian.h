// The Jacobian of a flow by central differences. No LibTorch here.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "server/common/array.h"
#include "server/flows/flow.h"

namespace sluiced::evaluation {

// How far the values of each column of x [n, dim] lie apart: the middle half of them, as
// the deviation of a normal distribution; 1 where they do not. n >= 1.
std::vector<double> Spreads(const Array& x);

// log|det dz/dx| of a flow of float64 at one row [1, RowColumns(spec)], by steps of `step`
// times each column's spread, less where the column's support ends.
absl::StatusOr<double> NumericLogDet(const flows::Flow& flow, const Array& row,
                                     const std::vector<double>& spreads, double step);

}  // namespace sluiced::evaluation
