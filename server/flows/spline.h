// Constants of the rational-quadratic splines. No LibTorch here.
#pragma once

namespace sluiced::flows {

// The least width and height of a bin, as fractions of the box, and the least slope at
// a knot: what keeps a spline invertible in float32. kMaxBins of them still fit.
inline constexpr double kLeastBin = 1e-3;
inline constexpr double kLeastSlope = 1e-3;

}  // namespace sluiced::flows
