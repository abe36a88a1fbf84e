#include "client/cli/plot/loss_figure.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "client/cli/plot/ticks.h"

namespace sluice::plot {
namespace {

std::vector<LegendEntry> Legend(const LossHistory& history) {
  std::vector<LegendEntry> entries;
  const bool both = !history.validation.empty();
  if (!history.train.empty()) entries.push_back({both ? "training" : "loss", kBlue});
  if (both) entries.push_back({"validation", kOrange});
  if (history.bound) entries.push_back({history.bound_label, kMuted, true});
  if (history.best) {
    char text[80];
    std::snprintf(text, sizeof(text), "best: %s%.3f, epoch %.0f",
                  history.best->y < 0 ? "\u2212" : "", std::abs(history.best->y), history.best->x);
    entries.push_back({text, both ? kOrange : kBlue, false, true});
  }
  return entries;
}

void DrawBest(const Axes& axes, const LossHistory& history) {
  if (!history.best) return;
  const Point at = axes.At(history.best->x, history.best->y);
  const Rect& frame = axes.frame();
  if (!(at.y >= frame.y && at.y <= frame.bottom())) return;
  const Color color = history.validation.empty() ? kBlue : kOrange;
  axes.canvas().Dot(at, 6.5, kWhite);
  axes.canvas().Dot(at, 5, color);
}

// What of the curves the range of y leaves out.
std::string CutText(const LossHistory& history, const Range& y) {
  double highest = y.high;
  for (const auto* curve : {&history.train, &history.validation}) {
    for (const Point& point : *curve) {
      if (std::isfinite(point.y)) highest = std::max(highest, point.y);
    }
  }
  if (highest <= y.high) return "";
  char text[80];
  std::snprintf(text, sizeof(text), "cut off above: up to %.3g", highest);
  return text;
}

std::vector<Point> BoundLine(const Axes& axes, const LossHistory& history) {
  if (!history.bound) return {};
  return {{axes.x().low, *history.bound}, {axes.x().high, *history.bound}};
}

// A curve of one point has no line.
void DrawLonePoint(const Axes& axes, const std::vector<Point>& curve, Color color) {
  if (curve.size() == 1) axes.Scatter(curve, color, 3);
}

}  // namespace

Range LossRange(const LossHistory& history) {
  std::vector<double> losses;
  for (const auto* curve : {&history.train, &history.validation}) {
    for (const Point& point : *curve) losses.push_back(point.y);
  }
  if (losses.empty()) return {0, 1};
  Range range{Quantile(losses, 0), Quantile(losses, 0.97)};
  if (history.bound) range.low = std::min(range.low, *history.bound);
  return Padded(range, 0.06);
}

void DrawLossCurves(const Axes& axes, const LossHistory& history) {
  axes.Curve(BoundLine(axes, history), kMuted, 1.5, true);
  axes.Curve(history.train, kBlue, 1.6);
  axes.Curve(history.validation, kOrange, 1.6);
  DrawLonePoint(axes, history.train, kBlue);
  DrawLonePoint(axes, history.validation, kOrange);
}

std::string DrawLoss(const LossHistory& history, const std::string& title) {
  Canvas canvas(760, 460, 2);
  std::vector<double> epochs;
  for (const Point& point : history.train) epochs.push_back(point.x);
  for (const Point& point : history.validation) epochs.push_back(point.x);
  const double last = std::max(RangeOf(epochs).high, 1.0);
  // Room for the dot of a best epoch that is the last; a lone epoch lies in the middle.
  const Range x{0, last > 1 ? last * 1.02 : 2};
  const Axes axes(&canvas, {78, 46, 656, 352}, x, LossRange(history));
  AxesStyle style;
  style.spacing = 80;
  style.whole_x = true;
  axes.DrawGrid(style);
  DrawLossCurves(axes, history);
  DrawBest(axes, history);
  axes.DrawFrame({title, "epoch", history.y_label}, style);
  // Beside the axis' name: the title may be long.
  const TextStyle note{.size = 11, .color = kMuted, .across = Align::kEnd, .down = Align::kStart};
  canvas.Text({axes.frame().right(), axes.frame().bottom() + 25}, CutText(history, axes.y()), note);
  DrawLegend(axes, Legend(history), 12,
             {history.train, history.validation, BoundLine(axes, history)});
  return canvas.EncodePng();
}

}  // namespace sluice::plot
