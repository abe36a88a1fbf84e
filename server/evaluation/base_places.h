// The distribution functions of a flow's base. No LibTorch here.
#pragma once

#include <cstdint>
#include <vector>

#include "server/common/array.h"
#include "server/flows/flow.h"

namespace sluiced::evaluation {

// The base's distribution function of column `column` at each row of z [n, dim]: uniform
// on (0, 1) for draws of the base.
std::vector<double> BasePlaces(const flows::FlowState& state, const Array& z, int64_t column);

// P(T <= t) of Student's t.
double StudentTail(double t, double freedom);

}  // namespace sluiced::evaluation
