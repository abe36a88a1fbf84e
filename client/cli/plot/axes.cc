#include "client/cli/plot/axes.h"

#include <algorithm>
#include <cmath>

#include "client/cli/plot/ticks.h"

namespace sluice::plot {
namespace {

constexpr double kTickLength = 4;
constexpr double kTickGap = 7;  // From the frame to a tick's label.

int MostTicks(double extent, double spacing) {
  return std::clamp(static_cast<int>(extent / spacing), 3, 10);
}

}  // namespace

Point Axes::At(double x, double y) const {
  return {frame_.x + (x - x_.low) / x_.span() * frame_.width,
          frame_.bottom() - (y - y_.low) / y_.span() * frame_.height};
}

std::vector<Tick> Axes::XTicks(const AxesStyle& style) const {
  int most = MostTicks(frame_.width, style.spacing);
  if (style.whole_x) most = std::clamp(static_cast<int>(x_.span()) + 1, 2, most);
  return NiceTicks(x_, most);
}

std::vector<Tick> Axes::YTicks(const AxesStyle& style) const {
  // Labels stand above each other: even in a low frame there is room for some.
  return NiceTicks(y_, std::max(4, MostTicks(frame_.height, style.spacing / 2)));
}

void Axes::DrawGrid(const AxesStyle& style) const {
  for (const Tick& tick : XTicks(style)) {
    const double at = At(tick.value, y_.low).x;
    canvas_->Line({at, frame_.y}, {at, frame_.bottom()}, kFaint, 1);
  }
  for (const Tick& tick : YTicks(style)) {
    const double at = At(x_.low, tick.value).y;
    canvas_->Line({frame_.x, at}, {frame_.right(), at}, kFaint, 1);
  }
}

double Axes::DrawYTicks(const AxesStyle& style) const {
  const double outwards = style.y_right ? 1 : -1;
  const TextStyle text{.size = style.text, .across = style.y_right ? Align::kStart : Align::kEnd};
  double widest = 0;
  for (const Tick& tick : YTicks(style)) {
    const Point at = At(style.y_right ? x_.high : x_.low, tick.value);
    canvas_->Line(at, {at.x + outwards * kTickLength, at.y}, kInk, 1);
    if (!style.y_ticks) continue;
    canvas_->Text({at.x + outwards * kTickGap, at.y}, tick.label, text);
    widest = std::max(widest, canvas_->TextWidth(tick.label, text));
  }
  return widest;
}

void Axes::DrawFrame(const AxesLabels& labels, const AxesStyle& style) const {
  canvas_->Outline(frame_, kInk, 1);
  const TextStyle text{.size = style.text, .down = Align::kStart};
  for (const Tick& tick : XTicks(style)) {
    const Point at = At(tick.value, y_.low);
    canvas_->Line(at, {at.x, at.y + kTickLength}, kInk, 1);
    if (style.x_ticks) canvas_->Text({at.x, at.y + kTickGap}, tick.label, text);
  }
  const double widest = DrawYTicks(style);
  const Point middle{frame_.x + frame_.width / 2, frame_.y + frame_.height / 2};
  TextStyle label{.size = style.text + 1, .down = Align::kStart};
  const double below = kTickGap + (style.x_ticks ? style.text * 0.73 + 8 : 2);
  canvas_->Text({middle.x, frame_.bottom() + below}, labels.x, label);
  label.down = style.y_right ? Align::kStart : Align::kEnd;
  label.upwards = true;
  const double beside = kTickGap + widest + 8;
  canvas_->Text({style.y_right ? frame_.right() + beside : frame_.x - beside, middle.y}, labels.y,
                label);
  const TextStyle title{.size = style.text + 2, .bold = true, .down = Align::kEnd};
  canvas_->Text({middle.x, frame_.y - 9}, labels.title, title);
}

void Axes::Curve(const std::vector<Point>& data, Color color, double line_width,
                 bool dashed) const {
  canvas_->Clip(frame_);
  std::vector<Point> piece;
  for (const Point& point : data) {
    if (std::isfinite(point.x) && std::isfinite(point.y)) {
      Point at = At(point.x, point.y);
      // Cairo keeps coordinates in 24.8 bits.
      at.y = std::clamp(at.y, -1e5, 1e5);
      piece.push_back(at);
      continue;
    }
    canvas_->Polyline(piece, color, line_width, dashed);
    piece.clear();
  }
  canvas_->Polyline(piece, color, line_width, dashed);
  canvas_->Unclip();
}

void Axes::Scatter(const std::vector<Point>& data, Color color, double radius) const {
  canvas_->Clip(frame_);
  for (const Point& point : data) {
    const Point at = At(point.x, point.y);
    if (std::abs(at.x) < 1e5 && std::abs(at.y) < 1e5) canvas_->Dot(at, radius, color);
  }
  canvas_->Unclip();
}

Rect EqualAspect(Rect space, Range x, Range y) {
  const double scale = std::min(space.width / x.span(), space.height / y.span());
  const double width = scale * x.span();
  const double height = scale * y.span();
  return {space.x + (space.width - width) / 2, space.y + (space.height - height) / 2, width,
          height};
}

namespace {

// Pixels, about, that the curves have in common with the box.
double Hidden(const Axes& axes, const std::vector<std::vector<Point>>& curves, const Rect& box) {
  double hidden = 0;
  for (const std::vector<Point>& curve : curves) {
    for (size_t i = 0; i + 1 < curve.size(); ++i) {
      const Point from = axes.At(curve[i].x, curve[i].y);
      const Point to = axes.At(curve[i + 1].x, curve[i + 1].y);
      constexpr int kParts = 16;
      for (int part = 0; part < kParts; ++part) {
        const double share = (part + 0.5) / kParts;
        const double x = from.x + share * (to.x - from.x), y = from.y + share * (to.y - from.y);
        const bool inside = x > box.x && x < box.right() && y > box.y && y < box.bottom();
        if (inside) hidden += std::hypot(to.x - from.x, to.y - from.y) / kParts;
      }
    }
  }
  return hidden;
}

Rect QuietestCorner(const Axes& axes, const std::vector<std::vector<Point>>& curves, double width,
                    double height) {
  const Rect& frame = axes.frame();
  const double left = frame.x + 10, right = frame.right() - width - 10;
  const double top = frame.y + 10, bottom = frame.bottom() - height - 10;
  Rect best{right, top, width, height};
  for (const Rect& box : {Rect{left, top, width, height}, Rect{right, bottom, width, height},
                          Rect{left, bottom, width, height}}) {
    if (Hidden(axes, curves, box) < Hidden(axes, curves, best)) best = box;
  }
  return best;
}

}  // namespace

void DrawLegend(const Axes& axes, const std::vector<LegendEntry>& entries, double text,
                const std::vector<std::vector<Point>>& curves) {
  Canvas& canvas = axes.canvas();
  const TextStyle style{.size = text, .across = Align::kStart};
  double widest = 0;
  for (const LegendEntry& entry : entries) {
    widest = std::max(widest, canvas.TextWidth(entry.text, style));
  }
  const double line = text * 1.6;
  const Rect box =
      QuietestCorner(axes, curves, widest + 46, line * static_cast<double>(entries.size()) + 6);
  canvas.Fill(box, {1, 1, 1, 0.93});
  canvas.Outline(box, kFaint, 1);
  double y = box.y + 3 + line / 2;
  for (const LegendEntry& entry : entries) {
    if (entry.dot) {
      canvas.Dot({box.x + 19, y}, 5, entry.color);
    } else {
      canvas.Polyline({{box.x + 8, y}, {box.x + 30, y}}, entry.color, 2.5, entry.dashed);
    }
    canvas.Text({box.x + 38, y}, entry.text, style);
    y += line;
  }
}

}  // namespace sluice::plot
