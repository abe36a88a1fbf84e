#include "server/data/generators.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/common/errors.h"
#include "server/common/philox.h"

namespace sluiced::data {
namespace {

constexpr int64_t kMaxRows = 10'000'000;
constexpr double kMaxNoise = 1e6;
constexpr double kPi = std::numbers::pi;

constexpr size_t kMostColumns = 16;
// What a toy's columns leave over is 0.
using Point = std::array<double, kMostColumns>;
using Draw = Point (*)(PhiloxReader&);

// As scikit-learn's make_swiss_roll.
Point SwissRoll(PhiloxReader& random) {
  const double t = 1.5 * kPi * (1 + 2 * random.Uniform());
  return {t * std::cos(t), 21 * random.Uniform(), t * std::sin(t)};
}

// As scikit-learn's make_s_curve.
Point SCurve(PhiloxReader& random) {
  const double t = 3 * kPi * (random.Uniform() - 0.5);
  return {std::sin(t), 2 * random.Uniform(), t < 0 ? 1 - std::cos(t) : std::cos(t) - 1};
}

// As scikit-learn's make_moons.
Point Moons(PhiloxReader& random) {
  const bool upper = random.Below(2) == 0;
  const double t = kPi * random.Uniform();
  if (upper) return {std::cos(t), std::sin(t), 0};
  return {1 - std::cos(t), 0.5 - std::sin(t), 0};
}

Point Circles(PhiloxReader& random) {
  const double radius = random.Below(2) == 0 ? 1 : 0.5;
  const double t = 2 * kPi * random.Uniform();
  return {radius * std::cos(t), radius * std::sin(t), 0};
}

Point Rings(PhiloxReader& random) {
  const double radius = 1 + static_cast<double>(random.Below(4));
  const double t = 2 * kPi * random.Uniform();
  return {radius * std::cos(t), radius * std::sin(t), 0};
}

Point EightGaussians(PhiloxReader& random) {
  const double t = kPi / 4 * static_cast<double>(random.Below(8));
  return {4 * std::cos(t), 4 * std::sin(t), 0};
}

Point Checkerboard(PhiloxReader& random) {
  const auto column = static_cast<double>(random.Below(4));
  const auto pair = static_cast<double>(random.Below(2));
  const double row = 2 * pair + std::fmod(column, 2);
  return {2 * (column + random.Uniform()) - 4, 2 * (row + random.Uniform()) - 4, 0};
}

// Five arms, as in Johnson et al. 2016 (arXiv:1603.06277).
Point Pinwheel(PhiloxReader& random) {
  const auto arm = static_cast<double>(random.Below(5));
  const double along = 1 + 0.3 * random.Normal();
  const double across = 0.1 * random.Normal();
  const double turn = 2 * kPi / 5 * arm + 0.25 * std::exp(along);
  return {2 * (along * std::cos(turn) - across * std::sin(turn)),
          2 * (along * std::sin(turn) + across * std::cos(turn)), 0};
}

Point Spirals(PhiloxReader& random) {
  const double t = std::sqrt(random.Uniform()) * 3 * kPi;
  const double side = random.Below(2) == 0 ? 1 : -1;
  return {-side * t * std::cos(t) / 3, side * t * std::sin(t) / 3, 0};
}

Point Banana(PhiloxReader& random) {
  const double x = random.Normal();
  return {x, 0.5 * x * x + 0.5 * random.Normal(), 0};
}

Point Sine(PhiloxReader& random) {
  const double x = 2 * kPi * (random.Uniform() - 0.5);
  return {x, std::sin(2 * x), 0};
}

Point Gaussian(PhiloxReader& random) {
  const double x = random.Normal();
  return {x, 0.8 * x + 0.6 * random.Normal(), 0};
}

// Eight parameters, each normal, and behind them what is seen of them: the posterior of
// the parameters is normal too (Bishop 2006, eq. 2.116).
Point LinearGaussian(PhiloxReader& random) {
  constexpr size_t kHalf = kMostColumns / 2;
  Point point{};
  for (size_t i = 0; i < kHalf; ++i) point[i] = random.Normal();
  for (size_t i = 0; i < kHalf; ++i) {
    point[kHalf + i] = point[i] + 0.5 * point[(i + 1) % kHalf] + 0.5 * random.Normal();
  }
  return point;
}

// Noise where without it the rows lie on a curve or sheet, and have no density.
constexpr std::array kToys = {
    Toy{"swiss-roll", 3, 0.1, "a sheet rolled up, as scikit-learn's make_swiss_roll"},
    Toy{"s-curve", 3, 0.05, "a sheet bent to an S, as scikit-learn's make_s_curve"},
    Toy{"moons", 2, 0.1, "two interleaved half circles, as scikit-learn's make_moons"},
    Toy{"circles", 2, 0.05, "two concentric circles of radius 0.5 and 1"},
    Toy{"rings", 2, 0.08, "four concentric circles of radius 1 to 4"},
    Toy{"eight-gaussians", 2, 0.35, "eight normals on a circle of radius 4"},
    Toy{"checkerboard", 2, 0.0, "uniform on the eight dark squares of [-4, 4]^2"},
    Toy{"pinwheel", 2, 0.0, "five curved arms"},
    Toy{"spirals", 2, 0.1, "two interleaved spirals"},
    Toy{"banana", 2, 0.0, "a normal bent along a parabola"},
    Toy{"sine", 2, 0.2, "a band around a sine"},
    Toy{"gaussian", 2, 0.0, "a normal with correlation 0.8"},
    Toy{"linear-gaussian", 16, 0.0,
        "pairs for inference: 8 normal parameters, and x_i = parameter i + 0.5 of the next "
        "(the first after the last) + a normal of deviation 0.5"},
};
constexpr std::array<Draw, kToys.size()> kDraws = {
    SwissRoll, SCurve,  Moons,  Circles, Rings,    EightGaussians, Checkerboard,
    Pinwheel,  Spirals, Banana, Sine,    Gaussian, LinearGaussian};

}  // namespace

std::span<const Toy> AllToys() { return kToys; }

absl::StatusOr<Table> Generate(absl::string_view toy, int64_t rows, uint64_t seed,
                               std::optional<double> noise) {
  const auto found = std::ranges::find_if(kToys, [&](const Toy& t) { return t.name == toy; });
  if (found == kToys.end()) {
    std::vector<absl::string_view> names;
    for (const Toy& t : kToys) names.push_back(t.name);
    return FieldError("toy",
                      absl::StrCat("there is no such toy; there are ", absl::StrJoin(names, ", ")));
  }
  if (rows < 1 || rows > kMaxRows) {
    return FieldError("rows", absl::StrCat("must be 1 to ", kMaxRows, ", is ", rows));
  }
  const double deviation = noise.value_or(found->noise);
  if (!(deviation >= 0 && deviation <= kMaxNoise)) {
    return FieldError("noise", absl::StrCat("must be 0 to ", kMaxNoise, ", is ", deviation));
  }
  const Draw draw = kDraws[static_cast<size_t>(found - kToys.begin())];
  const auto columns = static_cast<size_t>(found->columns);
  Table table{Array(DType::kFloat32, {rows, found->columns}), {}, {}};
  PhiloxReader random(seed, Stream::kGenerate);
  std::span<float> out = table.rows.as<float>();
  for (size_t row = 0; row < static_cast<size_t>(rows); ++row) {
    const Point point = draw(random);
    for (size_t column = 0; column < columns; ++column) {
      // Drawn even when it is not used, so that the points stay where they are
      // when only the noise changes.
      const double offset = deviation * random.Normal();
      out[row * columns + column] = static_cast<float>(point[column] + offset);
    }
  }
  return table;
}

}  // namespace sluiced::data
