#include "client/cli/plot/evaluation_figure.h"

#include <algorithm>
#include <cmath>

#include "client/cli/plot/axes.h"
#include "client/cli/plot/colormap.h"
#include "client/cli/plot/layout.h"

namespace sluice::plot {
namespace {

constexpr double kSide = 300;
constexpr size_t kMostNamed = 8;  // Curves in a legend.
constexpr Color kBand{0.90, 0.92, 0.95};

Color ColorOf(size_t curve, size_t curves) {
  if (curves == 1) return kBlue;
  return Viridis(0.9 * static_cast<double>(curve) / static_cast<double>(curves - 1));
}

// Of the rows, how many rank up to each edge of the bins.
std::vector<Point> Cumulated(const std::vector<int64_t>& counts) {
  double all = 0, sum = 0;
  for (int64_t count : counts) all += static_cast<double>(count);
  std::vector<Point> points = {{0, 0}};
  for (size_t i = 0; i < counts.size(); ++i) {
    sum += static_cast<double>(counts[i]);
    points.push_back(
        {static_cast<double>(i + 1) / static_cast<double>(counts.size()), all > 0 ? sum / all : 0});
  }
  return points;
}

// Where a curve stays 19 times of 20 when all is well (Kolmogorov).
void DrawBand(const Axes& axes, double count) {
  if (count <= 0) return;
  const double width = std::min(1.358 / std::sqrt(count), 1.0);
  axes.canvas().Clip(axes.frame());
  axes.canvas().Polygon(
      {axes.At(0, width), axes.At(1, 1 + width), axes.At(1, 1 - width), axes.At(0, -width)}, kBand);
  axes.canvas().Unclip();
}

// In the upper left, where a curve seldom goes.
void DrawNames(const Axes& axes, const std::vector<RankCurve>& curves) {
  const TextStyle style{.size = 11, .across = Align::kStart};
  double y = axes.frame().y + 14;
  for (size_t i = 0; i < std::min(curves.size(), kMostNamed); ++i) {
    if (curves[i].name.empty()) continue;
    const double x = axes.frame().x + 10;
    axes.canvas().Polyline({{x, y}, {x + 18, y}}, ColorOf(i, curves.size()), 2.5, false);
    axes.canvas().Text({x + 24, y}, curves[i].name, style);
    y += 16;
  }
  if (curves.size() > kMostNamed) {
    axes.canvas().Text({axes.frame().x + 10, y},
                       "and " + std::to_string(curves.size() - kMostNamed) + " more", style);
  }
}

void DrawPanel(Canvas* canvas, const Rect& frame, const RankPanel& panel) {
  const Axes axes(canvas, frame, {0, 1}, {0, 1});
  DrawBand(axes, panel.count);
  const AxesStyle style{.text = 11};
  axes.DrawGrid(style);
  axes.Curve({{0, 0}, {1, 1}}, kMuted, 1, true);
  for (size_t i = 0; i < panel.curves.size(); ++i) {
    axes.Curve(Cumulated(panel.curves[i].counts), ColorOf(i, panel.curves.size()), 2);
  }
  axes.DrawFrame({panel.title, panel.x_label, panel.y_label}, style);
  DrawNames(axes, panel.curves);
}

void DrawHeadings(Canvas* canvas, const std::string& title, const std::string& note) {
  const double middle = canvas->width() / 2;
  canvas->Text({middle, 22}, title, {.size = 15, .bold = true});
  canvas->Text({middle, 42}, note, {.size = 12, .color = kMuted});
}

double Log10(double natural) { return natural / std::log(10.0); }

// Of the draws, how many weigh at least as much as each of the largest.
std::vector<Point> Survival(const WeightPicture& picture) {
  std::vector<Point> points;
  for (size_t i = 0; i < picture.log_weights.size(); ++i) {
    points.push_back({Log10(picture.log_weights[i]),
                      std::log10(static_cast<double>(i + 1) / static_cast<double>(picture.draws))});
  }
  return points;
}

// A tail of the shape that weights may have at most, through `from`.
std::vector<Point> HeaviestTail(const Point& from, const Range& x) {
  constexpr double kShape = 0.7;
  return {from, {x.high, from.y - (x.high - from.x) / kShape}};
}

}  // namespace

std::string DrawCalibration(const CalibrationPicture& picture) {
  PanelRow row;
  row.frame_width = row.frame_height = kSide;
  row.gap = 84;
  row.margins = {.left = 72, .top = 88, .right = 26, .bottom = 58};
  row.panels = static_cast<int>(picture.panels.size());
  Canvas canvas(row.width(), row.height(), 2);
  DrawHeadings(&canvas, picture.title, picture.note);
  for (int i = 0; i < row.panels; ++i) {
    DrawPanel(&canvas, row.Frame(i), picture.panels[static_cast<size_t>(i)]);
  }
  return canvas.EncodePng();
}

std::string DrawWeights(const WeightPicture& picture) {
  Canvas canvas(760, 500, 2);
  DrawHeadings(&canvas, picture.title, picture.note);
  const std::vector<Point> points = Survival(picture);
  Range x{0, 1}, y{-4, 0};
  if (!points.empty()) {
    x = Padded({std::min(points.back().x, 0.0), std::max(points.front().x, 0.1)}, 0.04);
    y = Padded({points.front().y, 0}, 0.04);
  }
  const Axes axes(&canvas, {78, 66, 656, 372}, x, y);
  const AxesStyle style{.spacing = 80};
  axes.DrawGrid(style);
  std::vector<LegendEntry> legend = {{"draws", kBlue, false, true}};
  if (!points.empty()) {
    // As PSIS takes it: the largest min(n / 5, 3 sqrt(n)).
    const auto draws = static_cast<double>(picture.draws);
    const auto tail = static_cast<size_t>(std::min(draws / 5, 3 * std::sqrt(draws)));
    const Point start = points[std::min(tail, points.size() - 1)];
    axes.Curve(HeaviestTail(start, x), kOrange, 1.8, true);
    legend.push_back({"a tail of k = 0.7: the heaviest to be trusted", kOrange, true});
  }
  axes.Scatter(points, kBlue, 2.2);
  axes.DrawFrame(
      {"", "log10 of weight / mean weight", "log10 of the share of draws at least as heavy"},
      style);
  DrawLegend(axes, legend, 12);
  return canvas.EncodePng();
}

}  // namespace sluice::plot
