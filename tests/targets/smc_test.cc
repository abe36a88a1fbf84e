#include "server/targets/smc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numbers>
#include <string>
#include <vector>

namespace sluiced::targets {
namespace {

constexpr int64_t kRows = 20'000;

absl::Status Always() { return absl::OkStatus(); }

SmcRows DrawsOf(const std::string& target, int64_t rows, uint64_t seed) {
  return *DrawBySmc(**FindTarget(target), rows, seed, Always);
}

std::string NameOf(const testing::TestParamInfo<const Target*>& info) {
  std::string name = info.param->name();
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

class SmcLaws : public testing::TestWithParam<const Target*> {};
INSTANTIATE_TEST_SUITE_P(All, SmcLaws, testing::ValuesIn(AllTargets().begin(), AllTargets().end()),
                         NameOf);

TEST_P(SmcLaws, FindLogZ) {
  const Target& target = *GetParam();
  const SmcRows draws = DrawsOf(target.name(), kRows, 1);
  ASSERT_TRUE(target.log_z());
  // The funnel's neck and mouth are hard to find at once.
  EXPECT_NEAR(draws.log_z, *target.log_z(), target.dim() > 2 ? 0.25 : 0.05);
}

// Of the density by quadrature over the target's box.
std::vector<double> MomentsByQuadrature(const Target& target) {
  constexpr int kCells = 400;
  double mass = 0;
  std::vector<double> moments(4);
  for (int i = 0; i < kCells * kCells; ++i) {
    std::vector<double> x(2);
    for (size_t k = 0; k < 2; ++k) {
      const double place = (k == 0 ? i % kCells : i / kCells) + 0.5;
      x[k] = target.low()[k] + (target.high()[k] - target.low()[k]) * place / kCells;
    }
    double value = 0;
    target.Evaluate(x, std::span(&value, 1), {});
    const double p = std::exp(value);
    mass += p;
    for (size_t k = 0; k < 2; ++k) {
      moments[k] += p * x[k];
      moments[2 + k] += p * x[k] * x[k];
    }
  }
  for (double& moment : moments) moment /= mass;
  return moments;
}

// Of those in the box: a funnel reaches far out of it.
std::vector<double> MomentsOfDraws(const Target& target, const Array& x) {
  std::vector<double> moments(4);
  double inside = 0;
  for (int64_t row = 0; row < x.rows(); ++row) {
    const std::array<double, 2> at = {x.At(2 * row), x.At(2 * row + 1)};
    const auto within = [&](size_t k) {
      return at[k] >= target.low()[k] && at[k] <= target.high()[k];
    };
    if (!within(0) || !within(1)) continue;
    ++inside;
    for (size_t k = 0; k < 2; ++k) {
      moments[k] += at[k];
      moments[2 + k] += at[k] * at[k];
    }
  }
  for (double& moment : moments) moment /= inside;
  return moments;
}

std::vector<const Target*> PlanarTargets() {
  std::vector<const Target*> planar;
  std::ranges::copy_if(AllTargets(), std::back_inserter(planar),
                       [](const Target* target) { return target->dim() == 2; });
  return planar;
}

class PlanarSmcLaws : public SmcLaws {};
INSTANTIATE_TEST_SUITE_P(Planar, PlanarSmcLaws, testing::ValuesIn(PlanarTargets()), NameOf);

TEST_P(PlanarSmcLaws, HaveTheMomentsOfTheDensity) {
  const Target& target = *GetParam();
  const SmcRows draws = DrawsOf(target.name(), kRows, 2);
  const std::vector<double> moments = MomentsOfDraws(target, draws.x);
  const std::vector<double> expected = MomentsByQuadrature(target);
  for (size_t k = 0; k < 4; ++k) {
    EXPECT_NEAR(moments[k], expected[k], 0.03 * (1 + std::sqrt(expected[2 + k % 2])))
        << "moment " << k;
  }
}

TEST(SmcTest, GivesEveryModeItsShare) {
  const SmcRows draws = DrawsOf("ring", kRows, 3);
  std::vector<int> in_lobe(8);
  for (int64_t row = 0; row < kRows; ++row) {
    const double turn =
        std::atan2(draws.x.At(2 * row + 1), draws.x.At(2 * row)) / (2 * std::numbers::pi);
    ++in_lobe[static_cast<size_t>(std::lround(8 * turn) + 8) % 8];
  }
  for (const int count : in_lobe) EXPECT_NEAR(count, kRows / 8, 0.1 * kRows / 8);
}

TEST(SmcTest, FollowsTheFunnelIntoItsNeck) {
  const SmcRows draws = DrawsOf("funnel-5", kRows, 4);
  double mean = 0, square = 0;
  for (int64_t row = 0; row < kRows; ++row) {
    mean += draws.x.At(5 * row) / kRows;
    square += draws.x.At(5 * row) * draws.x.At(5 * row) / kRows;
  }
  EXPECT_NEAR(mean, 0, 0.1);
  EXPECT_NEAR(std::sqrt(square), 1.5, 0.1);
}

TEST(SmcTest, IsAFunctionOfTheSeed) {
  const SmcRows one = DrawsOf("two-moons", 500, 5), same = DrawsOf("two-moons", 500, 5);
  EXPECT_TRUE(std::ranges::equal(one.x.bytes(), same.x.bytes()));
  EXPECT_FALSE(std::ranges::equal(one.x.bytes(), DrawsOf("two-moons", 500, 6).x.bytes()));
}

TEST(SmcTest, MakesAsFewAsOneRow) {
  for (int64_t rows = 1; rows < 4; ++rows) {
    EXPECT_EQ(DrawsOf("ring", rows, 7).x.rows(), rows);
  }
}

TEST(SmcTest, EndsWhenNobodyWaits) {
  int asked = 0;
  const auto drawn = DrawBySmc(**FindTarget("ring"), 100'000, 8, [&] {
    return ++asked < 3 ? absl::OkStatus() : absl::CancelledError("left");
  });
  EXPECT_EQ(drawn.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(asked, 3);
}

}  // namespace
}  // namespace sluiced::targets
