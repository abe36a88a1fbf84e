// Viridis, the perceptually uniform colour map of matplotlib.
#pragma once

#include "client/cli/plot/color.h"

namespace sluice::plot {

// `t` in [0, 1]; clamped.
Color Viridis(double t);

}  // namespace sluice::plot
