#include "client/cli/plot/heatmap.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "client/cli/plot/colormap.h"
#include "client/cli/plot/ticks.h"

namespace sluice::plot {

void DrawHeatmap(const Axes& axes, const Grid& grid, double most, bool smooth) {
  std::vector<Color> colors;
  colors.reserve(grid.values.size());
  for (int row = grid.rows - 1; row >= 0; --row) {
    for (int column = 0; column < grid.columns; ++column) {
      colors.push_back(
          Viridis(grid.values[static_cast<size_t>(row) * grid.columns + column] / most));
    }
  }
  const Point top_left = axes.At(grid.x.low, grid.y.high);
  const Point bottom_right = axes.At(grid.x.high, grid.y.low);
  axes.canvas().Clip(axes.frame());
  axes.canvas().Image(
      {top_left.x, top_left.y, bottom_right.x - top_left.x, bottom_right.y - top_left.y},
      grid.columns, colors, smooth);
  axes.canvas().Unclip();
}

void DrawColorbar(Canvas* canvas, Rect bar, double most, const std::string& label, double text) {
  std::vector<Color> colors;
  constexpr int kSteps = 256;
  for (int i = kSteps; i-- > 0;) colors.push_back(Viridis(i / (kSteps - 1.0)));
  canvas->Image(bar, 1, colors, true);
  canvas->Polygon(
      {{bar.x, bar.y}, {bar.right(), bar.y}, {bar.x + bar.width / 2, bar.y - bar.width * 0.7}},
      Viridis(1));
  canvas->Outline(bar, kInk, 1);
  const Axes axes(canvas, bar, {0, 1}, {0, most});
  const TextStyle style{.size = text, .across = Align::kStart};
  double widest = 0;
  for (const Tick& tick :
       NiceTicks({0, most}, std::clamp(static_cast<int>(bar.height / 40), 3, 8))) {
    const Point at = axes.At(1, tick.value);
    canvas->Line(at, {at.x + 4, at.y}, kInk, 1);
    canvas->Text({at.x + 7, at.y}, tick.label, style);
    widest = std::max(widest, canvas->TextWidth(tick.label, style));
  }
  const TextStyle turned{.size = text + 1, .down = Align::kStart, .upwards = true};
  canvas->Text({bar.right() + 7 + widest + 8, bar.y + bar.height / 2}, label, turned);
}

double BrightestOf(const Grid& grid, double quantile) {
  std::vector<double> positive;
  const double top = RangeOf(grid.values).high;
  for (const double value : grid.values) {
    // Cells that hold next to nothing would move the percentile with the margins.
    if (std::isfinite(value) && value > top * 1e-3) positive.push_back(value);
  }
  const double most = Quantile(positive, quantile);
  return most > 0 ? most : 1;
}

}  // namespace sluice::plot
