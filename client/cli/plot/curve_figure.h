// A density of one coordinate: curves over a histogram.
#pragma once

#include <string>
#include <vector>

#include "client/cli/plot/geometry.h"

namespace sluice::plot {

struct NamedCurve {
  std::string name;
  std::vector<Point> points;
};

struct CurvePicture {
  std::string title;
  std::string x_label = "x1";
  std::string y_label = "density (1 / length)";
  std::vector<NamedCurve> curves;  // At most two.
  std::string bars_name;
  std::vector<double> bars;  // Equal bins over `x`; may be empty.
  Range x;
};

// PNG.
std::string DrawCurves(const CurvePicture& picture);

}  // namespace sluice::plot
