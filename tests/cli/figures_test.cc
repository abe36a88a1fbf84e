// Every picture from made-up numbers: it is drawn, of the size meant, and neither odd
// ranges nor numbers that are not finite break it. With SLUICE_PICTURES=DIR in the
// environment the pictures are kept for a person to look at.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <random>

#include "client/cli/plot/corner_figure.h"
#include "client/cli/plot/curve_figure.h"
#include "client/cli/plot/density_figure.h"
#include "client/cli/plot/evaluation_figure.h"
#include "client/cli/plot/film_figure.h"
#include "client/cli/plot/heatmap.h"
#include "client/cli/plot/loss_figure.h"
#include "client/cli/plot/text_points.h"

namespace sluice::plot {
namespace {

const std::string kPngMagic = "\x89PNG\r\n\x1a\n";

void Keep(const std::string& name, const std::string& bytes) {
  const char* directory = std::getenv("SLUICE_PICTURES");
  if (directory == nullptr) return;
  std::ofstream(std::string(directory) + "/" + name, std::ios::binary) << bytes;
}

void ExpectPng(const std::string& name, const std::string& bytes) {
  EXPECT_EQ(bytes.substr(0, 8), kPngMagic) << name;
  EXPECT_GT(bytes.size(), 5000u) << name;
  Keep(name, bytes);
}

// A ring as smooth as a model's density.
Grid Ring(Range x, Range y, int cells, double radius) {
  Grid grid = SquareGrid(x, y, cells);
  for (int row = 0; row < grid.rows; ++row) {
    for (int column = 0; column < grid.columns; ++column) {
      const double r = std::hypot(grid.x_of(column), grid.y_of(row)) - radius;
      grid.values[static_cast<size_t>(row) * grid.columns + column] =
          std::exp(-r * r / 0.08) / (2 * 3.1416 * radius * 0.5);
    }
  }
  return grid;
}

Matrix Roll(int64_t rows, double noise, int64_t cols) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  Matrix points{rows, cols, {}, DType::kFloat32};
  for (int64_t i = 0; i < rows; ++i) {
    const double t = 4.7 * (1 + 2 * uniform(random));
    const double roll[] = {t * std::cos(t) / 5, 4 * uniform(random), t * std::sin(t) / 5};
    for (int64_t c = 0; c < cols; ++c)
      points.values.push_back(roll[c % 3] + noise * normal(random));
  }
  return points;
}

LossHistory Losses(int epochs) {
  LossHistory history;
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    const double loss = 3.1 + 1.2 * std::exp(-epoch / 40.0) + 40 * std::exp(-epoch / 1.5);
    history.train.push_back({static_cast<double>(epoch), loss + 0.03 * normal(random)});
    history.validation.push_back({static_cast<double>(epoch), loss + 0.06 + 0.05 * normal(random)});
  }
  history.best = Point{epochs * 0.87, 3.13};
  return history;
}

TEST(Figures, DensityBesideData) {
  const Result<Matrix> wow = TextPoints("WOW", 5000, 0);
  ASSERT_TRUE(wow.ok());
  DensityPicture picture;
  picture.panels.push_back({"wow, version 1", Ring({-4.3, 4.3}, {-2.2, 2.2}, 80'000, 1.4), true});
  picture.most = BrightestOf(picture.panels[0].grid);
  ExpectPng("density-alone.png", DrawDensity(picture));
  Grid histogram = SquareGrid({-4.3, 4.3}, {-2.2, 2.2}, 2500);
  FillHistogram(*wow, 0, 1, &histogram);
  picture.panels.push_back({"data: wow", histogram, false});
  ExpectPng("density.png", DrawDensity(picture));
  DensityPicture square;
  for (const char* title : {"exact: seed-moons", "moons, version 1"}) {
    square.panels.push_back({title, Ring({-2.5, 2.5}, {-2.5, 2.5}, 80'000, 1.5), true});
  }
  square.most = BrightestOf(square.panels[0].grid);
  ExpectPng("density-square.png", DrawDensity(square));
}

TEST(Figures, LossesWithAndWithoutABound) {
  LossHistory history = Losses(600);
  ExpectPng("loss.png", DrawLoss(history, "Training wow on dataset wow"));
  history.validation.clear();
  history.bound = 2.9;
  history.bound_label = "\u2212log Z (exact)";
  history.train[300].y = NAN;
  history.train[400].y = 1e9;
  ExpectPng("loss-target.png", DrawLoss(history, "Training moons on target seed-moons"));
  LossHistory single;
  single.train.push_back({1, 3});
  ExpectPng("loss-single.png", DrawLoss(single, "One epoch"));
}

// How many pixels are of neither white, black nor grey.
size_t ColoredPixels(const Canvas& canvas) {
  const std::vector<uint32_t> pixels = canvas.Pixels();
  return static_cast<size_t>(std::count_if(pixels.begin(), pixels.end(), [](uint32_t pixel) {
    return (pixel >> 16) != (pixel & 0xff) || (pixel >> 16) != (pixel >> 8 & 0xff);
  }));
}

TEST(Figures, ALossOfOneEpochIsSeen) {
  for (const bool validation : {false, true}) {
    LossHistory history;
    (validation ? history.validation : history.train).push_back({1, 3});
    Canvas canvas(200, 100, 1);
    const Axes axes(&canvas, {10, 10, 180, 80}, {0, 2}, {2, 4});
    DrawLossCurves(axes, history);
    EXPECT_GT(ColoredPixels(canvas), 20u);
  }
}

TEST(Figures, WholeNumbersAndTicksOnTheRight) {
  Canvas canvas(200, 100, 1);
  const Axes axes(&canvas, {40, 10, 100, 60}, {0, 2}, {2, 4});
  AxesStyle style;
  style.whole_x = true;
  style.y_right = true;
  style.y_ticks = true;
  axes.DrawFrame({"", "", ""}, style);
  const std::vector<uint32_t> pixels = canvas.Pixels();
  const auto inked = [&](int first, int last) {
    size_t count = 0;
    for (int y = 0; y < 72; ++y) {
      for (int x = first; x < last; ++x)
        count += pixels[static_cast<size_t>(y * 200 + x)] < 0x808080;
    }
    return count;
  };
  EXPECT_EQ(inked(0, 34), 0u);
  EXPECT_GT(inked(146, 200), 20u);
}

TEST(Figures, OneCoordinate) {
  CurvePicture picture;
  picture.title = "gauss, version 2";
  picture.x = {-4, 4};
  picture.curves.push_back({"gauss, version 2", {}});
  for (int i = 0; i <= 400; ++i) {
    const double x = -4 + i * 0.02;
    picture.curves[0].points.push_back({x, std::exp(-x * x / 2) / 2.5066});
  }
  picture.bars_name = "data: gauss";
  picture.bars = std::vector<double>(80, 0.1);
  ExpectPng("curve.png", DrawCurves(picture));
}

TEST(Figures, Corner) {
  for (const int64_t dim : {3, 5, 9}) {
    CornerPicture picture;
    picture.title = "roll, version 1 and dataset roll";
    picture.model = Roll(20'000, 0.25, dim);
    picture.data = Roll(5000, 0.05, dim);
    for (int64_t i = 1; i <= dim; ++i) picture.names.push_back("x" + std::to_string(i));
    ExpectPng("corner-" + std::to_string(dim) + ".png", DrawCorner(picture));
  }
}

void ExpectFilm(const std::string& name, const Film& film) {
  const Result<std::string> gif = DrawFilm(film);
  ASSERT_TRUE(gif.ok());
  EXPECT_EQ(gif->substr(0, 6), "GIF89a");
  Keep(name + ".gif", *gif);
  ExpectPng(name + ".png", DrawFilmFrame(film, film.frames.size() / 2));
}

TEST(Figures, FilmOfADensity) {
  const Result<Matrix> wow = TextPoints("WOW", 5000, 0);
  ASSERT_TRUE(wow.ok());
  Film film;
  film.title = "wow";
  film.reference_title = "data: wow";
  film.ranges = {{-4.3, 4.3}, {-2.2, 2.2}};
  film.names = {"x1", "x2"};
  Grid histogram = SquareGrid(film.ranges[0], film.ranges[1], 2500);
  FillHistogram(*wow, 0, 1, &histogram);
  film.reference = histogram;
  for (int i = 0; i <= 4; ++i) {
    const Grid grid = Ring(film.ranges[0], film.ranges[1], 18'000, 0.3 + 0.3 * i);
    film.frames.push_back({"epoch " + std::to_string(50 * i), 50 * i, grid});
  }
  film.losses = Losses(200);
  ExpectFilm("film", film);
}

TEST(Figures, FilmOfACloud) {
  Film film;
  film.title = "roll";
  film.reference_title = "data: roll";
  film.ranges = {{-3, 3.2}, {-0.5, 4.5}, {-3, 3}};
  film.names = {"x1", "x2", "x3"};
  film.reference = Roll(4000, 0.02, 3);
  for (int i = 4; i >= 0; --i) {
    film.frames.push_back(
        {"epoch " + std::to_string(50 - 10 * i), 50 - 10 * i, Roll(4000, 0.3 * i, 3)});
  }
  film.losses = Losses(50);
  film.losses.bound = 2.9;
  film.losses.bound_label = "\u2212log Z (exact)";
  ExpectFilm("film-cloud", film);
}

TEST(Figures, FilmOfOneCoordinateWithoutLosses) {
  Film film;
  film.title = "line";
  film.reference_title = "in the end";
  film.ranges = {{-3, 3}};
  film.names = {"x1"};
  film.reference = Roll(4000, 0.3, 1);
  film.frames.push_back({"version 0", 0, Roll(4000, 1, 1)});
  film.frames.push_back({"version 1", 1, Roll(4000, 0.3, 1)});
  ExpectFilm("film-line", film);
}

TEST(Figures, Calibration) {
  CalibrationPicture picture;
  picture.title = "robot, version 3 beside dataset robot";
  picture.note = "log-likelihood -2.5 nats a row";
  RankPanel columns{"Columns", "rank among all draws", "share of rows", 500, {}};
  for (int i = 0; i < 12; ++i) {
    std::vector<int64_t> counts(20, 50);
    counts.front() += 10 * i;
    columns.curves.push_back({"x" + std::to_string(i + 1), counts});
  }
  picture.panels.push_back(columns);
  picture.panels.push_back({"Columns at their context", "rank", "share", 4, columns.curves});
  picture.panels.push_back({"Regions", "mass", "share", 0, {{"", {0, 0, 0}}, {"none", {}}}});
  ExpectPng("calibration.png", DrawCalibration(picture));
}

TEST(Figures, Weights) {
  WeightPicture picture;
  picture.title = "ring, version 1 beside target ring";
  picture.note = "Pareto k 0.9";
  picture.draws = 10'000;
  for (int i = 0; i < 1200; ++i) {
    picture.log_weights.push_back(-0.9 * std::log((i + 1) / 10'000.0) - 1);
  }
  ExpectPng("weights.png", DrawWeights(picture));
  picture.log_weights.clear();
  picture.draws = 0;
  ExpectPng("weights-none.png", DrawWeights(picture));
  picture.log_weights = {INFINITY, 3, 3};
  ExpectPng("weights-infinite.png", DrawWeights(picture));
}

}  // namespace
}  // namespace sluice::plot
