#include "tests/bench/growth_figure.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "client/cli/plot/axes.h"

namespace sluiced::bench {
namespace {

using sluice::plot::Align;
using sluice::plot::Axes;
using sluice::plot::Canvas;
using sluice::plot::Color;
using sluice::plot::Point;
using sluice::plot::Range;
using sluice::plot::Rect;

constexpr double kPanelWidth = 440, kPanelHeight = 300;
constexpr double kTicksText = 11;

// "16", "16,384"
std::string WithCommas(double value) {
  const std::string digits = std::to_string(static_cast<int64_t>(value));
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

Color ColorOf(const GrowthCurve& curve) {
  return curve.training ? sluice::plot::kOrange : sluice::plot::kBlue;
}

void DrawTicks(const Axes& axes, const std::vector<double>& sizes) {
  Canvas& canvas = axes.canvas();
  const Rect& frame = axes.frame();
  for (double size : sizes) {
    const double x = axes.At(std::log10(size), 0).x;
    canvas.Line({x, frame.bottom()}, {x, frame.bottom() + 4}, sluice::plot::kInk, 1);
    canvas.Text({x, frame.bottom() + 7}, WithCommas(size),
                {.size = kTicksText, .down = Align::kStart});
  }
  for (double power = std::ceil(axes.y().low); power <= axes.y().high; ++power) {
    const double y = axes.At(0, power).y;
    canvas.Line({frame.x, y}, {frame.right(), y}, sluice::plot::kFaint, 1);
    canvas.Line({frame.x - 4, y}, {frame.x, y}, sluice::plot::kInk, 1);
    canvas.Text({frame.x - 7, y}, WithCommas(std::round(std::pow(10, power))),
                {.size = kTicksText, .across = Align::kEnd});
  }
}

void DrawPanel(Canvas& canvas, const GrowthPanel& panel, Point corner, Range y) {
  std::vector<double> sizes;
  for (const GrowthCurve& curve : panel.curves) {
    for (const GrowthCurve::At& at : curve.points) sizes.push_back(at.size);
  }
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  if (sizes.empty()) return;
  const double low = std::log10(sizes.front()), high = std::log10(sizes.back());
  const double margin = 0.05 * (high - low);
  const Rect frame{corner.x + 70, corner.y + 34, kPanelWidth - 90, kPanelHeight - 90};
  const Axes axes(&canvas, frame, {low - margin, high + margin}, y);
  DrawTicks(axes, sizes);
  for (const GrowthCurve& curve : panel.curves) {
    std::vector<Point> points;
    for (const GrowthCurve::At& at : curve.points) {
      points.push_back({std::log10(at.size), std::log10(at.microseconds)});
    }
    axes.Curve(points, ColorOf(curve), 1.8, !curve.engine);
    if (curve.engine) axes.Scatter(points, ColorOf(curve), 3);
  }
  canvas.Outline(frame, sluice::plot::kInk, 1);
  canvas.Text({frame.x + frame.width / 2, frame.bottom() + 38}, panel.title, {.size = 13});
  canvas.Text({frame.x - 58, frame.y + frame.height / 2}, "microseconds a call",
              {.size = 12, .upwards = true});
}

Range CostRange(const std::vector<GrowthPanel>& panels) {
  double low = 1e300, high = 1;
  for (const GrowthPanel& panel : panels) {
    for (const GrowthCurve& curve : panel.curves) {
      for (const GrowthCurve::At& at : curve.points) {
        low = std::min(low, at.microseconds);
        high = std::max(high, at.microseconds);
      }
    }
  }
  return {std::log10(low) - 0.15, std::log10(high) + 0.15};
}

void DrawKey(Canvas& canvas, const std::vector<GrowthCurve>& curves) {
  double x = 78;
  for (const GrowthCurve& curve : curves) {
    canvas.Polyline({{x, 18}, {x + 30, 18}}, ColorOf(curve), 2, !curve.engine);
    const sluice::plot::TextStyle style = {.size = 12, .across = Align::kStart};
    canvas.Text({x + 36, 18}, curve.name, style);
    x += 60 + canvas.TextWidth(curve.name, style);
  }
}

}  // namespace

std::string DrawGrowth(const std::vector<GrowthPanel>& panels) {
  const auto rows = static_cast<double>((panels.size() + 1) / 2);
  Canvas canvas(2 * kPanelWidth, 24 + rows * kPanelHeight, 2);
  const Range y = CostRange(panels);
  for (size_t i = 0; i < panels.size(); ++i) {
    const Point corner = {static_cast<double>(i % 2) * kPanelWidth,
                          18 + static_cast<double>(i / 2) * kPanelHeight};
    DrawPanel(canvas, panels[i], corner, y);
  }
  if (!panels.empty()) DrawKey(canvas, panels.front().curves);
  return canvas.EncodePng();
}

}  // namespace sluiced::bench
