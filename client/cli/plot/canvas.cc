#include "client/cli/plot/canvas.h"

#include <cairo/cairo.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

namespace sluice::plot {
namespace {

constexpr const char* kFont = "DejaVu Sans";
constexpr double kMostPixels = 20000;

uint32_t Packed(const Color& color) {
  const auto byte = [](double c) { return static_cast<uint32_t>(std::lround(c * 255)); };
  return 0xff000000u | byte(color.r) << 16 | byte(color.g) << 8 | byte(color.b);
}

void SelectFont(cairo_t* context, const TextStyle& style) {
  cairo_select_font_face(context, kFont, CAIRO_FONT_SLANT_NORMAL,
                         style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(context, style.size);
}

double Offset(Align align, double extent) {
  return align == Align::kStart ? 0 : align == Align::kMiddle ? -extent / 2 : -extent;
}

}  // namespace

struct Canvas::Cairo {
  cairo_surface_t* surface = nullptr;
  cairo_t* context = nullptr;

  ~Cairo() {
    cairo_destroy(context);
    cairo_surface_destroy(surface);
  }
  void SetColor(Color color) const {
    cairo_set_source_rgba(context, color.r, color.g, color.b, color.a);
  }
  void Trace(const std::vector<Point>& points) const {
    cairo_new_path(context);
    for (const Point& point : points) cairo_line_to(context, point.x, point.y);
  }
};

Canvas::Canvas(double width, double height, double scale)
    : width_(width), height_(height), cairo_(std::make_unique<Cairo>()) {
  const auto pixels = [scale](double extent) {
    return static_cast<int>(std::clamp(std::ceil(extent * scale), 1.0, kMostPixels));
  };
  cairo_->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, pixels(width), pixels(height));
  cairo_->context = cairo_create(cairo_->surface);
  cairo_scale(cairo_->context, scale, scale);
  cairo_set_line_join(cairo_->context, CAIRO_LINE_JOIN_ROUND);
  // Hinted metrics would round text widths to whole units at scale 1.
  cairo_font_options_t* options = cairo_font_options_create();
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  cairo_set_font_options(cairo_->context, options);
  cairo_font_options_destroy(options);
  // Not Fill: the last pixel may lie partly outside.
  cairo_->SetColor(kWhite);
  cairo_paint(cairo_->context);
}

Canvas::~Canvas() = default;

void Canvas::Fill(Rect rect, Color color) {
  cairo_->SetColor(color);
  cairo_rectangle(cairo_->context, rect.x, rect.y, rect.width, rect.height);
  cairo_fill(cairo_->context);
}

void Canvas::Outline(Rect rect, Color color, double line_width) {
  cairo_->SetColor(color);
  cairo_set_line_width(cairo_->context, line_width);
  cairo_rectangle(cairo_->context, rect.x, rect.y, rect.width, rect.height);
  cairo_stroke(cairo_->context);
}

void Canvas::Line(Point from, Point to, Color color, double line_width) {
  Polyline({from, to}, color, line_width, false);
}

void Canvas::Polyline(const std::vector<Point>& points, Color color, double line_width,
                      bool dashed) {
  const double dashes[] = {line_width * 3, line_width * 2};
  cairo_->SetColor(color);
  cairo_set_line_width(cairo_->context, line_width);
  cairo_set_dash(cairo_->context, dashes, dashed ? 2 : 0, 0);
  cairo_->Trace(points);
  cairo_stroke(cairo_->context);
  cairo_set_dash(cairo_->context, nullptr, 0, 0);
}

void Canvas::Polygon(const std::vector<Point>& points, Color color) {
  cairo_->SetColor(color);
  cairo_->Trace(points);
  cairo_fill(cairo_->context);
}

void Canvas::Dot(Point center, double radius, Color color) {
  cairo_->SetColor(color);
  cairo_new_path(cairo_->context);
  cairo_arc(cairo_->context, center.x, center.y, radius, 0, 2 * std::numbers::pi);
  cairo_fill(cairo_->context);
}

void Canvas::Image(Rect rect, int columns, const std::vector<Color>& colors, bool smooth) {
  const int rows = columns > 0 ? static_cast<int>(colors.size()) / columns : 0;
  if (rows == 0) return;
  cairo_surface_t* image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, columns, rows);
  unsigned char* data = cairo_image_surface_get_data(image);
  const int stride = cairo_image_surface_get_stride(image);
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      const uint32_t pixel = Packed(colors[static_cast<size_t>(row) * columns + column]);
      std::memcpy(data + static_cast<ptrdiff_t>(row) * stride + column * 4, &pixel, 4);
    }
  }
  cairo_surface_mark_dirty(image);
  cairo_t* context = cairo_->context;
  cairo_save(context);
  cairo_rectangle(context, rect.x, rect.y, rect.width, rect.height);
  cairo_clip(context);
  cairo_translate(context, rect.x, rect.y);
  cairo_scale(context, rect.width / columns, rect.height / rows);
  cairo_set_source_surface(context, image, 0, 0);
  cairo_pattern_t* pattern = cairo_get_source(context);
  cairo_pattern_set_filter(pattern, smooth ? CAIRO_FILTER_BILINEAR : CAIRO_FILTER_NEAREST);
  cairo_pattern_set_extend(pattern, CAIRO_EXTEND_PAD);
  cairo_paint(context);
  cairo_restore(context);
  cairo_surface_destroy(image);
}

void Canvas::Text(Point at, const std::string& text, const TextStyle& style) {
  cairo_t* context = cairo_->context;
  cairo_save(context);
  SelectFont(context, style);
  cairo_->SetColor(style.color);
  cairo_translate(context, at.x, at.y);
  if (style.upwards) cairo_rotate(context, -std::numbers::pi / 2);
  cairo_text_extents_t extents;
  cairo_text_extents(context, text.c_str(), &extents);
  // The height of capitals and digits, so that labels share a baseline.
  const double cap_height = style.size * 0.73;
  cairo_move_to(context, Offset(style.across, extents.x_advance),
                Offset(style.down, cap_height) + cap_height);
  cairo_show_text(context, text.c_str());
  cairo_restore(context);
}

double Canvas::TextWidth(const std::string& text, const TextStyle& style) const {
  SelectFont(cairo_->context, style);
  cairo_text_extents_t extents;
  cairo_text_extents(cairo_->context, text.c_str(), &extents);
  return extents.x_advance;
}

void Canvas::Clip(Rect rect) {
  cairo_save(cairo_->context);
  cairo_rectangle(cairo_->context, rect.x, rect.y, rect.width, rect.height);
  cairo_clip(cairo_->context);
}

void Canvas::Unclip() { cairo_restore(cairo_->context); }

std::string Canvas::EncodePng() const {
  const auto append = [](void* out, const unsigned char* data, unsigned int length) {
    static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(data), length);
    return CAIRO_STATUS_SUCCESS;
  };
  std::string bytes;
  cairo_surface_write_to_png_stream(cairo_->surface, append, &bytes);
  return bytes;
}

int Canvas::pixel_width() const { return cairo_image_surface_get_width(cairo_->surface); }

int Canvas::pixel_height() const { return cairo_image_surface_get_height(cairo_->surface); }

std::vector<uint32_t> Canvas::Pixels() const {
  cairo_surface_flush(cairo_->surface);
  const unsigned char* data = cairo_image_surface_get_data(cairo_->surface);
  const int stride = cairo_image_surface_get_stride(cairo_->surface);
  const auto columns = static_cast<size_t>(pixel_width());
  std::vector<uint32_t> pixels(columns * static_cast<size_t>(pixel_height()));
  for (int row = 0; row < pixel_height(); ++row) {
    std::memcpy(pixels.data() + static_cast<size_t>(row) * columns,
                data + static_cast<ptrdiff_t>(row) * stride, columns * 4);
  }
  for (uint32_t& pixel : pixels) pixel &= 0xffffff;
  return pixels;
}

}  // namespace sluice::plot
