#include "client/cli/plot/layout.h"

#include <algorithm>
#include <cmath>

namespace sluice::plot {

double PanelRow::width() const {
  return margins.left + panels * frame_width + (panels - 1) * gap + colorbar + margins.right;
}

double PanelRow::height() const { return margins.top + frame_height + margins.bottom; }

Rect PanelRow::Frame(int panel) const {
  return {margins.left + panel * (frame_width + gap), margins.top, frame_width, frame_height};
}

Rect PanelRow::Bar() const {
  const Rect last = Frame(panels - 1);
  return {last.right() + 18, last.y, 14, last.height};
}

PanelRow LayOutPanels(Range x, Range y, int panels, double area, double least) {
  PanelRow row;
  row.panels = panels;
  row.gap = 26;
  row.colorbar = 92;
  const double aspect = x.span() / y.span();
  row.frame_width = std::clamp(std::sqrt(area * aspect), least, area / least);
  row.frame_height = std::clamp(area / row.frame_width, least, area / least);
  // Exactly one scale wherever the clamps left it possible.
  if (std::abs(std::log(row.frame_width / row.frame_height / aspect)) < 0.2) {
    row.frame_height = row.frame_width / aspect;
  }
  return row;
}

}  // namespace sluice::plot
