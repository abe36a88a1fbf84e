#include "client/cli/plot/text_points.h"

#include <cairo/cairo.h>

#include <algorithm>
#include <random>
#include <vector>

namespace sluice::plot {
namespace {

constexpr double kHeight = 4;
constexpr double kMostWidth = 8;
constexpr double kFontSize = 300;  // Pixels: far finer than any flow resolves.
constexpr size_t kLongest = 64;

struct Ink {
  int width = 0, height = 0;
  std::vector<uint8_t> alpha;                    // Coverage of each pixel.
  int left = 0, right = 0, top = 0, bottom = 0;  // Of the ink, inclusive.
};

Status Bad(const std::string& what) {
  Status status;
  status.code = Code::kInvalidArgument;
  status.message = what;
  status.field = "text";
  return status;
}

void FindBounds(Ink* ink) {
  ink->left = ink->width;
  ink->top = ink->height;
  ink->right = ink->bottom = -1;
  for (int y = 0; y < ink->height; ++y) {
    for (int x = 0; x < ink->width; ++x) {
      if (ink->alpha[static_cast<size_t>(y) * ink->width + x] < 128) continue;
      ink->left = std::min(ink->left, x);
      ink->right = std::max(ink->right, x);
      ink->top = std::min(ink->top, y);
      ink->bottom = std::max(ink->bottom, y);
    }
  }
}

void SelectBold(cairo_t* context) {
  cairo_select_font_face(context, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
  cairo_set_font_size(context, kFontSize);
}

// What the text covers, so that the picture can be made large enough.
cairo_text_extents_t Measure(const std::string& text) {
  cairo_surface_t* surface = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
  cairo_t* context = cairo_create(surface);
  SelectBold(context);
  cairo_text_extents_t extents;
  cairo_text_extents(context, text.c_str(), &extents);
  cairo_destroy(context);
  cairo_surface_destroy(surface);
  return extents;
}

Ink DrawText(const std::string& text) {
  const cairo_text_extents_t extents = Measure(text);
  Ink ink;
  ink.width = static_cast<int>(extents.width) + 8;
  ink.height = static_cast<int>(extents.height) + 8;
  cairo_surface_t* surface = cairo_image_surface_create(CAIRO_FORMAT_A8, ink.width, ink.height);
  cairo_t* context = cairo_create(surface);
  SelectBold(context);
  cairo_move_to(context, 4 - extents.x_bearing, 4 - extents.y_bearing);
  cairo_show_text(context, text.c_str());
  cairo_surface_flush(surface);
  const unsigned char* data = cairo_image_surface_get_data(surface);
  const int stride = cairo_image_surface_get_stride(surface);
  for (int y = 0; data != nullptr && y < ink.height; ++y) {
    const unsigned char* line = data + static_cast<ptrdiff_t>(y) * stride;
    ink.alpha.insert(ink.alpha.end(), line, line + ink.width);
  }
  cairo_destroy(context);
  cairo_surface_destroy(surface);
  if (ink.alpha.empty()) ink.width = ink.height = 0;
  FindBounds(&ink);
  return ink;
}

}  // namespace

Result<Matrix> TextPoints(const std::string& text, int64_t rows, uint64_t seed) {
  if (text.size() > kLongest) return Bad("a text of more than 64 bytes");
  if (rows < 1 || rows > 100'000'000) return Bad("between 1 and 100,000,000 rows can be drawn");
  const Ink ink = DrawText(text);
  if (ink.right < 0) return Bad("the text '" + text + "' leaves no ink");
  const double ink_width = ink.right - ink.left + 1;
  const double ink_height = ink.bottom - ink.top + 1;
  const double width = std::min(kMostWidth, kHeight * ink_width / ink_height);
  // Not std::uniform_real_distribution, which differs between libraries.
  std::mt19937_64 random(seed);
  const auto uniform = [&random] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  Matrix points;
  points.rows = rows;
  points.cols = 2;
  points.values.reserve(static_cast<size_t>(rows) * 2);
  while (points.values.size() < static_cast<size_t>(rows) * 2) {
    const double x = uniform() * ink_width;
    const double y = uniform() * ink_height;
    const int column = ink.left + static_cast<int>(x);
    const int row = ink.top + static_cast<int>(y);
    const double coverage = ink.alpha[static_cast<size_t>(row) * ink.width + column] / 255.0;
    if (uniform() >= coverage) continue;
    points.values.push_back(static_cast<float>((x / ink_width - 0.5) * width));
    points.values.push_back(static_cast<float>((0.5 - y / ink_height) * kHeight));
  }
  return points;
}

}  // namespace sluice::plot
