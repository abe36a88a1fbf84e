// Ranks and distances of which the answers are known.
#include "server/evaluation/ranks.h"

#include <gtest/gtest.h>

#include <cmath>

#include "server/common/philox.h"
#include "server/evaluation/calibration.h"

namespace sluiced::evaluation {
namespace {

std::vector<double> Uniforms(size_t n, uint64_t seed) {
  PhiloxReader random(seed, Stream::kGenerate);
  std::vector<double> values(n);
  for (double& v : values) v = random.Uniform();
  return values;
}

TEST(Ks, DistancesOfSmallSamples) {
  EXPECT_NEAR(KsOfUniform({0.5}).distance, 0.5, 1e-12);
  EXPECT_NEAR(KsOfUniform({0.1, 0.2, 0.9}).distance, 2.0 / 3 - 0.2, 1e-12);
  EXPECT_NEAR(KsOfTwo({1, 2, 3}, {1, 2, 3}).distance, 0, 1e-12);
  EXPECT_NEAR(KsOfTwo({1, 2}, {3, 4}).distance, 1, 1e-12);
  EXPECT_NEAR(KsOfTwo({1, 1, 1, 2}, {1, 2, 2, 2}).distance, 0.5, 1e-12);
}

TEST(Ks, NothingIsNoFinding) {
  EXPECT_EQ(KsOfUniform({}).p_value, 1);
  EXPECT_EQ(KsOfTwo({}, {1}).distance, 0);
  EXPECT_NEAR(KsOfUniform({NAN, 0.5, NAN}).distance, 0.5, 1e-12);
  EXPECT_EQ(KsOfTwo({NAN}, {NAN, 1}).distance, 0);
}

// scipy.stats.kstwobign: sf(1.358) = 0.0500, sf(1.628) = 0.0100; Stephens' stretch of n = 10000.
TEST(Ks, DistancesThatChanceExceeds) {
  const double stretch = 100 + 0.12 + 0.11 / 100;
  EXPECT_NEAR(KsDistanceAt(0.05, 10'000) * stretch, 1.3581, 1e-3);
  EXPECT_NEAR(KsDistanceAt(0.01, 10'000) * stretch, 1.6276, 1e-3);
}

// Under the null the p-value is uniform: its own distance to uniform is small.
TEST(Ks, PValuesOfUniformsAreUniform) {
  std::vector<double> one, two;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    one.push_back(KsOfUniform(Uniforms(200, seed)).p_value);
    two.push_back(KsOfTwo(Uniforms(200, 1000 + seed), Uniforms(300, 5000 + seed)).p_value);
  }
  EXPECT_GT(KsOfUniform(one).p_value, 1e-3);
  EXPECT_GT(KsOfUniform(two).p_value, 1e-3);
}

TEST(Place, OfEqualsTheDiceDecide) {
  const std::vector<double> draws = {1, 2, 2, 3};
  EXPECT_NEAR(Place(0, draws, 0.5), 0.5 / 5, 1e-12);
  EXPECT_NEAR(Place(9, draws, 0.5), 4.5 / 5, 1e-12);
  EXPECT_NEAR(Place(2, draws, 0), 1.0 / 5, 1e-12);
  EXPECT_NEAR(Place(2, draws, 0.999999), 4.0 / 5, 1e-5);
  for (double value : {0.0, 1.0, 2.0, 2.5, 3.0, 4.0}) {
    EXPECT_EQ(Place(value, draws, 0.3), PlaceInSorted(value, draws, 0.3)) << value;
  }
}

TEST(CountPlaces, EveryPlaceHasABin) {
  const std::vector<int64_t> counts = CountPlaces(std::vector<double>{0, 0.049, 0.05, 0.999, 1});
  EXPECT_EQ(counts.front(), 2);
  EXPECT_EQ(counts[1], 1);
  EXPECT_EQ(counts.back(), 2);
}

TEST(Coverage, OfUniformMassesIsTheLevel) {
  const Coverage coverage = CoverageOf(Uniforms(20'000, 3));
  ASSERT_EQ(coverage.levels.size(), 4U);
  for (const Coverage::Level& level : coverage.levels) {
    EXPECT_NEAR(level.covered.mean, level.level, 4 * level.covered.error);
  }
  EXPECT_GT(coverage.regions.ks.p_value, 1e-3);
}

TEST(Coverage, OfAFlowTooSureFallsShort) {
  std::vector<double> masses = Uniforms(2000, 3);
  for (double& mass : masses) mass = std::sqrt(mass);
  const Coverage coverage = CoverageOf(masses);
  EXPECT_NEAR(coverage.levels[0].covered.mean, 0.25, 0.05);
  EXPECT_LT(coverage.regions.ks.p_value, 1e-9);
}

}  // namespace
}  // namespace sluiced::evaluation
