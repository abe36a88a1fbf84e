// Where the panels of a figure lie.
#pragma once

#include "client/cli/plot/geometry.h"

namespace sluice::plot {

struct Margins {
  double left = 64, top = 44, right = 20, bottom = 56;
};

// Frames of equal size in one row, all of the data's aspect.
struct PanelRow {
  double frame_width = 0, frame_height = 0;
  double gap = 0;
  double colorbar = 0;  // Width kept free on the right, for a bar and its labels.
  Margins margins;
  int panels = 1;

  double width() const;
  double height() const;
  Rect Frame(int panel) const;
  Rect Bar() const;
};

// Frames with one scale on both axes for these ranges, about `area` square units
// each, and no side shorter than `least`: ranges of very unlike spans are
// stretched instead.
PanelRow LayOutPanels(Range x, Range y, int panels, double area, double least);

}  // namespace sluice::plot
