// Three coordinates on paper: a parallel projection with a box around it.
#pragma once

#include <string>
#include <vector>

#include "client/cli/plot/canvas.h"
#include "client/cli/plot/geometry.h"
#include "sluice/types.h"

namespace sluice::plot {

struct View {
  double azimuth = 0.9;     // Radians about the upright third axis.
  double elevation = 0.35;  // Radians above the horizon.
};

// The first three columns of `points` within `ranges` (three), in colours by how
// near they lie; what lies outside the box is left out.
void DrawCloud(Canvas* canvas, Rect frame, const Matrix& points, const std::vector<Range>& ranges,
               const View& view, const std::vector<std::string>& names);

}  // namespace sluice::plot
