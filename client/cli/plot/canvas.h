// Canvas: a picture being drawn. Cairo stays behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/plot/color.h"
#include "client/cli/plot/geometry.h"

namespace sluice::plot {

enum class Align { kStart, kMiddle, kEnd };

struct TextStyle {
  double size = 12;
  Color color = kInk;
  bool bold = false;
  Align across = Align::kMiddle;
  // kStart hangs the text below the point, kEnd stands it on the point.
  Align down = Align::kMiddle;
  bool upwards = false;  // Turned by 90 degrees, read from below.
};

// Coordinates are in units of which `scale` pixels make one: a picture drawn at
// scale 2 has the same layout as at 1, with twice the detail. One thread.
class Canvas {
 public:
  // White all over. At most 20,000 pixels a side.
  Canvas(double width, double height, double scale);
  ~Canvas();
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  double width() const { return width_; }
  double height() const { return height_; }

  void Fill(Rect rect, Color color);
  void Outline(Rect rect, Color color, double line_width);
  void Line(Point from, Point to, Color color, double line_width);
  void Polyline(const std::vector<Point>& points, Color color, double line_width, bool dashed);
  void Polygon(const std::vector<Point>& points, Color color);
  void Dot(Point center, double radius, Color color);
  // `colors` row by row from the top, `columns` each, stretched over `rect` and
  // smoothed between their centres when asked.
  void Image(Rect rect, int columns, const std::vector<Color>& colors, bool smooth);
  void Text(Point at, const std::string& text, const TextStyle& style);
  double TextWidth(const std::string& text, const TextStyle& style) const;

  // Confines what is drawn until Unclip to `rect`.
  void Clip(Rect rect);
  void Unclip();

  std::string EncodePng() const;
  int pixel_width() const;
  int pixel_height() const;
  // 0xRRGGBB, row by row from the top.
  std::vector<uint32_t> Pixels() const;

 private:
  struct Cairo;

  const double width_;
  const double height_;
  std::unique_ptr<Cairo> cairo_;
};

}  // namespace sluice::plot
