#include "client/cli/plot/loss_figure.h"

#include <algorithm>
#include <cstdio>

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
    std::snprintf(text, sizeof(text), "best: %.3f, epoch %.0f", history.best->y, history.best->x);
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
  if (history.bound) {
    axes.Curve({{axes.x().low, *history.bound}, {axes.x().high, *history.bound}}, kMuted, 1.5,
               true);
  }
  axes.Curve(history.train, kBlue, 1.6);
  axes.Curve(history.validation, kOrange, 1.6);
}

std::string DrawLoss(const LossHistory& history, const std::string& title) {
  Canvas canvas(760, 460, 2);
  std::vector<double> epochs;
  for (const Point& point : history.train) epochs.push_back(point.x);
  for (const Point& point : history.validation) epochs.push_back(point.x);
  Range x{0, std::max(RangeOf(epochs).high, 1.0)};
  const Axes axes(&canvas, {78, 46, 656, 352}, x, LossRange(history));
  AxesStyle style;
  style.spacing = 80;
  axes.DrawGrid(style);
  DrawLossCurves(axes, history);
  DrawBest(axes, history);
  axes.DrawFrame({title, "epoch", history.y_label}, style);
  DrawLegend(axes, Legend(history), 12);
  return canvas.EncodePng();
}

}  // namespace sluice::plot
