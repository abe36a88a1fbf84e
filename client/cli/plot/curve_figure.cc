#include "client/cli/plot/curve_figure.h"

#include <algorithm>
#include <cmath>

#include "client/cli/plot/axes.h"
#include "client/cli/plot/ticks.h"

namespace sluice::plot {
namespace {

constexpr Color kBars{0.72, 0.76, 0.82};

double Highest(const CurvePicture& picture) {
  double most = 0;
  for (const double bar : picture.bars) most = std::max(most, bar);
  for (const NamedCurve& curve : picture.curves) {
    for (const Point& point : curve.points) {
      if (std::isfinite(point.y)) most = std::max(most, point.y);
    }
  }
  return most > 0 ? most * 1.08 : 1;
}

void DrawBars(const Axes& axes, const std::vector<double>& bars) {
  const double width = axes.x().span() / static_cast<double>(bars.size());
  for (size_t i = 0; i < bars.size(); ++i) {
    const Point corner = axes.At(axes.x().low + static_cast<double>(i) * width, bars[i]);
    const Point base = axes.At(axes.x().low + static_cast<double>(i + 1) * width, 0);
    axes.canvas().Fill({corner.x, corner.y, base.x - corner.x, base.y - corner.y}, kBars);
  }
}

}  // namespace

std::string DrawCurves(const CurvePicture& picture) {
  Canvas canvas(760, 460, 2);
  const Axes axes(&canvas, {78, 46, 656, 352}, picture.x, {0, Highest(picture)});
  AxesStyle style;
  style.spacing = 80;
  axes.DrawGrid(style);
  std::vector<LegendEntry> legend;
  if (!picture.bars.empty()) {
    DrawBars(axes, picture.bars);
    legend.push_back({picture.bars_name, kBars});
  }
  Color color = kBlue;
  for (const NamedCurve& curve : picture.curves) {
    axes.Curve(curve.points, color, 2.2);
    legend.push_back({curve.name, color});
    color = kOrange;
  }
  axes.DrawFrame({picture.title, picture.x_label, picture.y_label}, style);
  DrawLegend(axes, legend, 12);
  return canvas.EncodePng();
}

}  // namespace sluice::plot
