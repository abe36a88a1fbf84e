#include "server/data/generators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "server/common/errors.h"

namespace sluiced::data {
namespace {

constexpr uint64_t kSeed = 7;

std::string Name(const Toy& toy) {
  std::string name(toy.name);
  std::erase(name, '-');
  return name;
}

class EveryToy : public ::testing::TestWithParam<Toy> {
 protected:
  Array Rows(int64_t rows, uint64_t seed = kSeed, std::optional<double> noise = std::nullopt) {
    auto table = Generate(GetParam().name, rows, seed, noise);
    EXPECT_TRUE(table.ok()) << table.status();
    return table->rows;
  }
};

TEST_P(EveryToy, HasItsShapeAndIsFinite) {
  const Array rows = Rows(1000);
  EXPECT_EQ(rows.shape(), (std::vector<int64_t>{1000, GetParam().columns}));
  EXPECT_EQ(rows.dtype(), DType::kFloat32);
  EXPECT_TRUE(CheckRows(rows).ok());
}

TEST_P(EveryToy, IsAFunctionOfItsArguments) {
  EXPECT_EQ(Rows(500), Rows(500));
  EXPECT_EQ(Rows(500), Rows(2000).Rows(0, 500));
  EXPECT_NE(Rows(500), Rows(500, kSeed + 1));
  EXPECT_EQ(Rows(500), Rows(500, kSeed, GetParam().noise));
}

TEST_P(EveryToy, AddsNoiseOfTheDeviationAskedFor) {
  constexpr double kNoise = 0.25;
  constexpr int64_t kRows = 20'000;
  const Array clean = Rows(kRows, kSeed, 0), noisy = Rows(kRows, kSeed, kNoise);
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < clean.size(); ++i) {
    const double offset = noisy.At(i) - clean.At(i);
    sum += offset;
    squares += offset * offset;
  }
  const auto count = static_cast<double>(clean.size());
  EXPECT_NEAR(sum / count, 0, 5 * kNoise / std::sqrt(count));
  EXPECT_NEAR(std::sqrt(squares / count), kNoise, 0.02 * kNoise);
}

// A flow has no density to find on a curve or sheet.
TEST_P(EveryToy, FillsTheSpaceByDefault) {
  if (GetParam().noise > 0) return;
  const Array rows = Rows(2000);
  const int64_t columns = rows.cols();
  int64_t inside = 0;  // Neighbours that differ in the first two columns.
  for (int64_t i = 0; i + 1 < 2000; ++i) {
    const int64_t at = columns * i;
    inside += rows.At(at) != rows.At(at + columns) && rows.At(at + 1) != rows.At(at + columns + 1);
  }
  EXPECT_GT(inside, 1990);
}

INSTANTIATE_TEST_SUITE_P(All, EveryToy, ::testing::ValuesIn(AllToys().begin(), AllToys().end()),
                         [](const auto& param) { return Name(param.param); });

// What every noiseless row of a toy fulfils.
struct Law {
  std::string toy;
  bool (*holds)(double x, double y, double z);
};

bool Near(double a, double b) { return std::abs(a - b) < 1e-4; }

class ToyLaws : public ::testing::TestWithParam<Law> {};

TEST_P(ToyLaws, HoldForEveryRow) {
  const auto table = Generate(GetParam().toy, 5000, kSeed, 0);
  ASSERT_TRUE(table.ok()) << table.status();
  const Array& rows = table->rows;
  for (int64_t i = 0; i < rows.rows(); ++i) {
    const int64_t at = i * rows.cols();
    const double z = rows.cols() > 2 ? rows.At(at + 2) : 0;
    ASSERT_TRUE(GetParam().holds(rows.At(at), rows.At(at + 1), z))
        << rows.At(at) << " " << rows.At(at + 1) << " " << z;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, ToyLaws,
    ::testing::Values(
        // The angle of (x, z) is the radius, but for whole turns.
        Law{"swiss-roll",
            [](double x, double y, double z) {
              const double radius = std::hypot(x, z);
              return Near(x, radius * std::cos(radius)) && Near(z, radius * std::sin(radius)) &&
                     radius > 4.71 && radius < 14.14 && y >= 0 && y <= 21;
            }},
        // As scikit-learn's: the upper half lies at z > 0 for negative angles.
        Law{"s-curve",
            [](double x, double y, double z) {
              const double c = z > 0 ? 1 - z : 1 + z;
              return Near(x * x + c * c, 1) && y >= 0 && y <= 2;
            }},
        Law{"moons",
            [](double x, double y, double) {
              return (Near(std::hypot(x, y), 1) && y > -1e-4) ||
                     (Near(std::hypot(x - 1, y - 0.5), 1) && y < 0.5001);
            }},
        Law{"circles",
            [](double x, double y, double) {
              const double r = std::hypot(x, y);
              return Near(r, 1) || Near(r, 0.5);
            }},
        Law{"checkerboard",
            [](double x, double y, double) {
              const auto column = static_cast<int>(std::floor((x + 4) / 2));
              const auto row = static_cast<int>(std::floor((y + 4) / 2));
              return std::abs(x) <= 4 && std::abs(y) <= 4 && (column + row) % 2 == 0;
            }}),
    [](const auto& param) {
      return Name({.name = param.param.toy, .columns = 0, .noise = 0, .description = ""});
    });

TEST(Toys, NearZeroTheSCurveRunsAsScikitLearns) {
  const auto table = Generate("s-curve", 5000, kSeed, 0);
  ASSERT_TRUE(table.ok());
  for (int64_t i = 0; i < 5000; ++i) {
    const double x = table->rows.At(3 * i), z = table->rows.At(3 * i + 2);
    // Angles within a quarter turn, where x = sin t and z = sign(t) (cos t - 1).
    if (std::abs(z) < 0.9 && std::abs(x) > 0.1) {
      EXPECT_LT(x * z, 0);
    }
  }
}

TEST(Toys, TheSwissRollHasTheScaleOfTheSampleSet) {
  const auto table = Generate("swiss-roll", 50'000, kSeed, std::nullopt);
  ASSERT_TRUE(table.ok());
  // Means by integration; deviations are those of swiss.npy, which is a fifth as large.
  const double expected_mean[] = {2, 10.5, 2 / (3 * std::numbers::pi)};
  const double expected_std[] = {6.57, 6.10, 6.97};
  for (int64_t column = 0; column < 3; ++column) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < 50'000; ++i) {
      const double v = table->rows.At(3 * i + column);
      sum += v / 50'000;
      squares += v * v / 50'000;
    }
    EXPECT_NEAR(sum, expected_mean[column], 0.15);
    EXPECT_NEAR(std::sqrt(squares - sum * sum), expected_std[column], 0.15);
  }
}

TEST(Toys, NameTheFieldThatIsWrong) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(FieldOf(Generate("no-such-toy", 10, 0, 0).status()), "toy");
  EXPECT_EQ(FieldOf(Generate("", 10, 0, 0).status()), "toy");
  for (const int64_t rows : {int64_t{0}, int64_t{-1}, int64_t{10'000'001}, INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(FieldOf(Generate("moons", rows, 0, 0).status()), "rows") << rows;
  }
  for (const double noise : {-0.1, nan, -nan, HUGE_VAL, 1e300}) {
    EXPECT_EQ(FieldOf(Generate("moons", 10, 0, noise).status()), "noise") << noise;
  }
}

}  // namespace
}  // namespace sluiced::data
