#include "tests/bench/growth.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bench/growth_figure.h"

namespace sluiced::bench {
namespace {

constexpr int64_t kRows = 1024;

struct Size {
  double size;
  Shape shape;
  int64_t rows;
};

struct Axis {
  const char* title;
  std::vector<Size> sizes;
};

std::vector<Axis> Axes() {
  Axis rows = {"rows", {}}, layers = {"layers (1,024 rows)", {}};
  Axis hidden = {"hidden width (1,024 rows)", {}}, dim = {"dim (1,024 rows)", {}};
  const auto f32 = DType::kFloat32;
  for (int64_t n : {1, 4, 16, 64, 256, 1024, 4096, 16384}) {
    rows.sizes.push_back({static_cast<double>(n), kSeedsFlow, n});
  }
  for (int64_t n : {1, 2, 4, 8, 16, 32}) {
    layers.sizes.push_back({static_cast<double>(n), {2, n, 32, f32}, kRows});
  }
  for (int64_t n : {8, 16, 32, 64, 128, 256}) {
    hidden.sizes.push_back({static_cast<double>(n), {2, 8, n, f32}, kRows});
  }
  for (int64_t n : {2, 4, 8, 16, 32, 64}) {
    dim.sizes.push_back({static_cast<double>(n), {n, 8, 32, f32}, kRows});
  }
  return {rows, layers, hidden, dim};
}

bool IsSeedsFlow(const Size& size) {
  return NameOf(size.shape) == NameOf(kSeedsFlow) && size.rows == kRows;
}

GrowthCurve CurveOf(const Axis& axis, bool training, bool engine, const MedianReporter& medians) {
  GrowthCurve curve = {absl::StrCat(training ? "training step, " : "log_prob, ",
                                    engine ? "engine" : "LibTorch modules"),
                       training,
                       engine,
                       {}};
  for (const Size& size : axis.sizes) {
    const double rate = medians.Median(absl::StrCat(engine ? "engine/" : "modules/",
                                                    training ? "train_step/" : "log_prob/",
                                                    NameOf(size.shape), "/b", size.rows, "/t1"));
    if (rate > 0) curve.points.push_back({size.size, 1e6 * static_cast<double>(size.rows) / rate});
  }
  return curve;
}

}  // namespace

void RegisterGrowth(Suite& suite) {
  bool registered = false;
  for (const Axis& axis : Axes()) {
    for (const Size& size : axis.sizes) {
      // It is on every axis.
      if (IsSeedsFlow(size) && registered) continue;
      registered = registered || IsSeedsFlow(size);
      suite.LogProb(size.shape, size.rows);
      suite.Step(size.shape, size.rows);
    }
  }
}

std::string DrawGrowth(const MedianReporter& medians) {
  std::vector<GrowthPanel> panels;
  for (const Axis& axis : Axes()) {
    GrowthPanel panel = {axis.title, {}};
    for (bool training : {false, true}) {
      for (bool engine : {true, false}) {
        panel.curves.push_back(CurveOf(axis, training, engine, medians));
      }
    }
    panels.push_back(panel);
  }
  return DrawGrowth(panels);
}

}  // namespace sluiced::bench
