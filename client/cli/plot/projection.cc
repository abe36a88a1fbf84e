#include "client/cli/plot/projection.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "client/cli/plot/colormap.h"

namespace sluice::plot {
namespace {

using Vector = std::array<double, 3>;

struct Seen {
  Point at;
  double depth = 0;  // Grows towards the eye.
};

class Projection {
 public:
  Projection(Rect frame, const View& view)
      : center_{frame.x + frame.width / 2, frame.y + frame.height / 2},
        // The unit cube fits from every side, and so do the names.
        scale_(std::min(frame.width, frame.height) / 1.58),
        cos_a_(std::cos(view.azimuth)),
        sin_a_(std::sin(view.azimuth)),
        cos_e_(std::cos(view.elevation)),
        sin_e_(std::sin(view.elevation)) {}

  // `p` in [-0.5, 0.5] per coordinate.
  Seen operator()(const Vector& p) const {
    const double right = -sin_a_ * p[0] + cos_a_ * p[1];
    const double away = cos_a_ * p[0] + sin_a_ * p[1];
    const double up = cos_e_ * p[2] - sin_e_ * away;
    return {{center_.x + scale_ * right, center_.y - scale_ * up}, cos_e_ * away + sin_e_ * p[2]};
  }

 private:
  const Point center_;
  const double scale_, cos_a_, sin_a_, cos_e_, sin_e_;
};

Vector Corner(int index) {
  return {(index & 1) - 0.5, (index >> 1 & 1) - 0.5, (index >> 2 & 1) - 0.5};
}

void DrawBox(Canvas* canvas, const Projection& project) {
  for (int from = 0; from < 8; ++from) {
    for (const int bit : {1, 2, 4}) {
      if ((from & bit) == 0) {
        canvas->Line(project(Corner(from)).at, project(Corner(from | bit)).at, kFaint, 1);
      }
    }
  }
}

// Each name beside the middle of the box's edge that leads along its axis.
void DrawNames(Canvas* canvas, const Projection& project, const std::vector<std::string>& names) {
  for (size_t axis = 0; axis < 3; ++axis) {
    // Of the four parallel edges, the one lowest on paper (leftmost for the upright).
    Point best{1e9, -1e9};
    for (int other = 0; other < 4; ++other) {
      Vector middle{};
      middle[(axis + 1) % 3] = (other & 1) - 0.5;
      middle[(axis + 2) % 3] = (other >> 1) - 0.5;
      for (double& c : middle) c *= 1.16;
      const Point at = project(middle).at;
      if (axis == 2 ? at.x < best.x : at.y > best.y) best = at;
    }
    canvas->Text(best, names[axis], {.size = 12});
  }
}

}  // namespace

void DrawCloud(Canvas* canvas, Rect frame, const Matrix& points, const std::vector<Range>& ranges,
               const View& view, const std::vector<std::string>& names) {
  const Projection project(frame, view);
  DrawBox(canvas, project);
  std::vector<Seen> seen;
  for (int64_t i = 0; i < points.rows; ++i) {
    Vector p;
    bool inside = true;
    for (size_t axis = 0; axis < 3; ++axis) {
      p[axis] =
          (points(i, static_cast<int64_t>(axis)) - ranges[axis].low) / ranges[axis].span() - 0.5;
      inside = inside && std::abs(p[axis]) <= 0.5;
    }
    if (inside) seen.push_back(project(p));
  }
  std::sort(seen.begin(), seen.end(),
            [](const Seen& a, const Seen& b) { return a.depth < b.depth; });
  for (const Seen& point : seen) {
    canvas->Dot(point.at, 1.7, Viridis(0.03 + 0.9 * (0.5 - point.depth / 1.5)));
  }
  DrawNames(canvas, project, names);
}

}  // namespace sluice::plot
