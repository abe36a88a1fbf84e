// Densities over two coordinates, side by side in one scale of colours.
#pragma once

#include <string>
#include <vector>

#include "client/cli/plot/grid.h"

namespace sluice::plot {

struct DensityPanel {
  std::string title;
  Grid grid;
  bool smooth = true;  // A function's values; false for a histogram's cells.
};

struct DensityPicture {
  std::vector<DensityPanel> panels;  // One or two, over the same ranges.
  std::string x_label = "x1", y_label = "x2";
  std::string unit = "density (1 / area)";
  double most = 1;  // What the brightest colour stands for.
};

// PNG.
std::string DrawDensity(const DensityPicture& picture);

}  // namespace sluice::plot
