// Axes: a frame on a canvas that knows where data lie in it.
#pragma once

#include <string>
#include <vector>

#include "client/cli/plot/canvas.h"
#include "client/cli/plot/geometry.h"
#include "client/cli/plot/ticks.h"

namespace sluice::plot {

struct AxesLabels {
  std::string title, x, y;
};

struct AxesStyle {
  bool grid = false;
  bool x_ticks = true;
  bool y_ticks = true;
  bool whole_x = false;  // Only whole numbers on x.
  bool y_right = false;  // Ticks and label of y stand right of the frame.
  double text = 12;      // Size of tick labels.
  double spacing = 60;   // Least distance between ticks on x; half of it on y.
};

// Refers to the canvas, which must outlive it.
class Axes {
 public:
  Axes(Canvas* canvas, Rect frame, Range x, Range y)
      : canvas_(canvas), frame_(frame), x_(x), y_(y) {}

  const Rect& frame() const { return frame_; }
  const Range& x() const { return x_; }
  const Range& y() const { return y_; }
  Canvas& canvas() const { return *canvas_; }
  Point At(double x, double y) const;

  // Grid lines, to be drawn before the data.
  void DrawGrid(const AxesStyle& style) const;
  // Frame, ticks and labels, to be drawn after the data. Ticks and labels lie
  // outside the frame: about 22 units below, 45 to the left (or right), and 20 more
  // for each label (at text size 12).
  void DrawFrame(const AxesLabels& labels, const AxesStyle& style) const;

  // Confined to the frame; points that are not finite part the curve.
  void Curve(const std::vector<Point>& data, Color color, double line_width,
             bool dashed = false) const;
  void Scatter(const std::vector<Point>& data, Color color, double radius) const;

 private:
  std::vector<Tick> XTicks(const AxesStyle& style) const;
  std::vector<Tick> YTicks(const AxesStyle& style) const;
  // Returns the width of the widest label.
  double DrawYTicks(const AxesStyle& style) const;

  Canvas* const canvas_;
  const Rect frame_;
  const Range x_, y_;
};

// The largest rectangle centred in `space` in which both axes have one scale.
Rect EqualAspect(Rect space, Range x, Range y);

struct LegendEntry {
  std::string text;
  Color color;
  bool dashed = false;
  bool dot = false;  // A dot instead of a line.
};

// In the corner of the frame where it hides least of the curves; the upper right one
// where that is as good as another.
void DrawLegend(const Axes& axes, const std::vector<LegendEntry>& entries, double text,
                const std::vector<std::vector<Point>>& curves = {});

}  // namespace sluice::plot
