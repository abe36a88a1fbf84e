// Points, rectangles and ranges. Pixels grow to the right and downwards, data to
// the right and upwards.
#pragma once

namespace sluice::plot {

struct Point {
  double x = 0, y = 0;
};

struct Rect {
  double x = 0, y = 0, width = 0, height = 0;

  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

struct Range {
  double low = 0, high = 1;

  double span() const { return high - low; }
};

}  // namespace sluice::plot
