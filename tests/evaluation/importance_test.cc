// Estimates of known weights.
#include "server/evaluation/importance.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sluiced::evaluation {
namespace {

TEST(Estimate, ExactFitHasFullEssAndNoError) {
  const double log_z = 1.5;
  Draws draws;
  for (int i = 0; i < 100; ++i) {
    draws.log_q.push_back(-0.1 * i);
    draws.log_p.push_back(-0.1 * i + log_z);
  }
  draws.log_continued = draws.log_p;
  const Estimates estimates = Estimate(draws, log_z);
  EXPECT_NEAR(estimates.loss, -log_z, 1e-12);
  EXPECT_NEAR(*estimates.log_z_estimate, log_z, 1e-12);
  EXPECT_NEAR(*estimates.kl, 0, 1e-12);
  EXPECT_NEAR(*estimates.ess_fraction, 1, 1e-12);
  EXPECT_NEAR(*estimates.log_z_error, 0, 1e-6);
  EXPECT_NEAR(*estimates.kl_error, 0, 1e-12);
}

// A flow that is the target over 0.8 of its mass and outside for the rest: given the
// support it is exact.
TEST(Estimate, KlIsThatOfTheFlowOnTheSupport) {
  Draws draws;
  for (int i = 0; i < 10; ++i) {
    draws.log_q.push_back(0);
    draws.log_p.push_back(i < 8 ? 0 : -INFINITY);
    draws.log_continued.push_back(i < 8 ? 0 : -20);
  }
  const Estimates estimates = Estimate(draws, std::log(0.8));
  EXPECT_NEAR(*estimates.kl, 0, 1e-12);
  EXPECT_NEAR(*estimates.log_z_estimate, std::log(0.8), 1e-12);
  EXPECT_NEAR(*estimates.ess_fraction, 0.8, 1e-12);
  EXPECT_NEAR(estimates.loss, 4, 1e-12);
}

TEST(Estimate, LostDrawsAreNoNan) {
  const double nan = NAN, inf = INFINITY;
  const Estimates none = Estimate({{nan, inf}, {-inf, -inf}, {-inf, -inf}}, 0.0);
  EXPECT_FALSE(none.kl);
  EXPECT_FALSE(none.log_z_estimate);
  const Estimates some = Estimate({{nan, 0}, {0, 0}, {0, 0}}, 0.0);
  EXPECT_NEAR(*some.log_z_estimate, std::log(0.5), 1e-12);
}

TEST(Estimate, HugeWeightsDoNotOverflow) {
  const Estimates estimates = Estimate({{-900, -1000}, {900, 900}, {900, 900}}, {});
  EXPECT_NEAR(*estimates.log_z_estimate, 1900 - std::log(2), 1e-9);
  EXPECT_FALSE(estimates.kl);
}

}  // namespace
}  // namespace sluiced::evaluation
