// Laws that every target keeps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "server/common/errors.h"
#include "server/common/philox.h"
#include "server/targets/target.h"

namespace sluiced::targets {
namespace {

double ValueAt(const Target& target, std::vector<double> x) {
  double value = 0;
  target.Evaluate(x, std::span(&value, 1), {});
  return value;
}

// Rows spread over the target's box and a margin around it.
std::vector<double> Points(const Target& target, int n, double margin) {
  PhiloxReader random(7, Stream::kGenerate);
  std::vector<double> x;
  for (int row = 0; row < n; ++row) {
    for (size_t i = 0; i < static_cast<size_t>(target.dim()); ++i) {
      const double extent = target.high()[i] - target.low()[i];
      x.push_back(target.low()[i] + extent * (random.Uniform() * (1 + 2 * margin) - margin));
    }
  }
  return x;
}

std::vector<const Target*> All() { return {AllTargets().begin(), AllTargets().end()}; }

std::string NameOf(const testing::TestParamInfo<const Target*>& info) {
  std::string name = info.param->name();
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

class TargetLaws : public testing::TestWithParam<const Target*> {};
INSTANTIATE_TEST_SUITE_P(All, TargetLaws, testing::ValuesIn(All()), NameOf);

using Evaluation = void (Target::*)(std::span<const double>, std::span<double>,
                                    std::span<double>) const;

void ExpectGradientMatchesDifferences(const Target& target, Evaluation evaluate, double margin) {
  constexpr int kRows = 400;
  constexpr double kStep = 1e-6;
  const auto dim = static_cast<size_t>(target.dim());
  const std::vector<double> x = Points(target, kRows, margin);
  std::vector<double> value(kRows), gradient(x.size());
  (target.*evaluate)(x, value, gradient);
  for (size_t i = 0; i < x.size(); ++i) {
    const auto shifted = [&](double by) {
      std::vector<double> moved(x.begin() + static_cast<long>(i / dim * dim),
                                x.begin() + static_cast<long>((i / dim + 1) * dim));
      moved[i % dim] += by;
      double result = 0;
      (target.*evaluate)(moved, std::span(&result, 1), {});
      return result;
    };
    if (!std::isfinite(value[i / dim])) {
      EXPECT_EQ(gradient[i], 0) << "row " << i / dim;
      continue;
    }
    const double difference = (shifted(kStep) - shifted(-kStep)) / (2 * kStep);
    EXPECT_NEAR(gradient[i], difference, 1e-4 * (1 + std::abs(difference)))
        << "row " << i / dim << " column " << i % dim;
  }
}

TEST_P(TargetLaws, GradientMatchesDifferences) {
  ExpectGradientMatchesDifferences(*GetParam(), &Target::Evaluate, 0);
}

TEST_P(TargetLaws, ContinuedGradientMatchesDifferences) {
  ExpectGradientMatchesDifferences(*GetParam(), &Target::EvaluateContinued, 0.2);
}

TEST_P(TargetLaws, ContinuationIsFiniteAndAgreesOnTheSupport) {
  const Target& target = *GetParam();
  const std::vector<double> x = Points(target, 500, 0.5);
  std::vector<double> value(500), continued(500), slope(x.size());
  target.Evaluate(x, value, {});
  target.EvaluateContinued(x, continued, slope);
  for (size_t row = 0; row < value.size(); ++row) {
    EXPECT_TRUE(std::isfinite(continued[row]));
    if (std::isfinite(value[row])) {
      EXPECT_EQ(value[row], continued[row]);
    }
  }
}

TEST_P(TargetLaws, HostilePointsGiveNoNanAndNoInfiniteGradient) {
  const Target& target = *GetParam();
  const auto dim = static_cast<size_t>(target.dim());
  const double inf = std::numeric_limits<double>::infinity();
  for (double extreme : {0.0, -0.0, 1e-320, 1e20, -1e20, 1e160, -1e160, 1e308, -1e308, inf, -inf,
                         std::numeric_limits<double>::quiet_NaN()}) {
    for (size_t column = 0; column <= dim; ++column) {
      std::vector<double> x(dim, column == dim ? extreme : 0.0), gradient(dim);
      if (column < dim) x[column] = extreme;
      const std::vector<double> before = x;
      for (Evaluation evaluate : {&Target::Evaluate, &Target::EvaluateContinued}) {
        double value = 0;
        (target.*evaluate)(x, std::span(&value, 1), gradient);
        EXPECT_FALSE(std::isnan(value)) << extreme;
        EXPECT_LT(value, inf) << extreme;
        for (double g : gradient) {
          EXPECT_TRUE(std::isfinite(g)) << extreme;
          EXPECT_TRUE(std::isfinite(value) || g == 0) << extreme;
        }
      }
      if (!std::isnan(extreme)) {
        EXPECT_EQ(x, before) << "the argument was changed";
      }
    }
  }
}

TEST_P(TargetLaws, NoRowsAreNoError) { GetParam()->Evaluate({}, {}, {}); }

TEST_P(TargetLaws, SaysWhatItIs) {
  EXPECT_FALSE(GetParam()->description().empty());
  for (size_t i = 0; i < GetParam()->low().size(); ++i) {
    EXPECT_LT(GetParam()->low()[i], GetParam()->high()[i]);
  }
}

// Midpoint rule on a grid of `n` x `n` cells.
double Integral(const Target& target, std::vector<double> low, std::vector<double> high, int n) {
  const double step1 = (high[0] - low[0]) / n;
  const double step2 = (high[1] - low[1]) / n;
  double sum = 0;
  std::vector<double> row(2 * static_cast<size_t>(n)), value(static_cast<size_t>(n));
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      row[2 * static_cast<size_t>(j)] = low[0] + (i + 0.5) * step1;
      row[2 * static_cast<size_t>(j) + 1] = low[1] + (j + 0.5) * step2;
    }
    target.Evaluate(row, value, {});
    for (double v : value) sum += std::exp(v);
  }
  return sum * step1 * step2;
}

TEST_P(TargetLaws, LogZIsTheIntegral) {
  const Target& target = *GetParam();
  ASSERT_TRUE(target.log_z());
  if (target.dim() != 2 || target.name() == "funnel") GTEST_SKIP() << "see the funnel's own tests";
  std::vector<double> low = target.low(), high = target.high();
  for (size_t i = 0; i < 2; ++i) {
    // Bounded supports end at their box along x1: cells must not straddle it.
    if (target.name()[0] == 'u' && target.name() != "u1" && i == 0) continue;
    const double margin = 0.3 * (high[i] - low[i]);
    low[i] -= margin;
    high[i] += margin;
  }
  EXPECT_NEAR(std::log(Integral(target, low, high, 1600)), *target.log_z(), 1e-4);
}

TEST_P(TargetLaws, BoxHoldsNearlyAllTheMass) {
  const Target& target = *GetParam();
  if (target.dim() != 2) GTEST_SKIP();
  const double share =
      Integral(target, target.low(), target.high(), 800) / std::exp(*target.log_z());
  EXPECT_GT(share, 0.995);
  EXPECT_LT(share, 1.005);
}

// The same density, factor by factor.
double FunnelByFactors(const std::vector<double>& x) {
  const auto normal = [](double at, double sigma) {
    return -0.5 * (at / sigma) * (at / sigma) - std::log(sigma * std::sqrt(2 * M_PI));
  };
  double sum = normal(x[0], 1.5);
  for (size_t i = 1; i < x.size(); ++i) sum += normal(x[i], std::exp(x[0] / 2));
  return sum;
}

TEST(Funnel, IsItsNormalisedFactors) {
  for (const char* name : {"funnel", "funnel-5"}) {
    const Target* target = FindTarget(name).value();
    EXPECT_EQ(target->log_z(), 0);
    const std::vector<double> x = Points(*target, 100, 0);
    const auto dim = static_cast<size_t>(target->dim());
    for (size_t row = 0; row < 100; ++row) {
      const std::vector<double> point(x.begin() + static_cast<long>(row * dim),
                                      x.begin() + static_cast<long>((row + 1) * dim));
      const double expected = FunnelByFactors(point);
      EXPECT_NEAR(ValueAt(*target, point), expected, 1e-9 * (1 + std::abs(expected)));
    }
  }
}

TEST(SeedMoons, MatchesTheSeedsDefinition) {
  const Target& moons = *FindTarget("seed-moons").value();
  const double peak = -std::log(0.1) - 0.5 * std::log(2 * M_PI);
  EXPECT_NEAR(ValueAt(moons, {0.5, 1e-9}), peak, 1e-12);  // Shifted to (1, 0).
  EXPECT_NEAR(ValueAt(moons, {-0.5, 0}), peak, 1e-12);    // x2 = 0 is below.
  EXPECT_NEAR(ValueAt(moons, {-0.5, 1}), peak, 1e-12);    // Shifted to (0, 1).
  EXPECT_NEAR(ValueAt(moons, {0.5, -1.1}), peak - 0.5, 1e-12);
}

TEST(SeedMoons, GradientAtRadiusZeroIsZero) {
  std::vector<double> gradient = {1, 1};
  double value = 0;
  FindTarget("seed-moons")
      .value()
      ->Evaluate(std::vector<double>{0.5, 0.0}, std::span(&value, 1), gradient);
  EXPECT_NEAR(value, -50 - std::log(0.1) - 0.5 * std::log(2 * M_PI), 1e-12);
  EXPECT_THAT(gradient, testing::ElementsAre(0, 0));
}

TEST(RezendeMohamed, AreBoxed) {
  for (const char* name : {"u2", "u3", "u4"}) {
    const Target& target = *FindTarget(name).value();
    EXPECT_EQ(ValueAt(target, {4, 0}), -std::numeric_limits<double>::infinity());
    EXPECT_EQ(ValueAt(target, {-4.001, 0}), -std::numeric_limits<double>::infinity());
    EXPECT_TRUE(std::isfinite(ValueAt(target, {3.999, 0})));
  }
}

TEST(FindTarget, NamesAreUniqueAndFound) {
  std::set<std::string> names;
  for (const Target* target : AllTargets()) {
    EXPECT_TRUE(names.insert(target->name()).second);
    EXPECT_EQ(FindTarget(target->name()).value(), target);
  }
}

TEST(FindTarget, UnknownIsNotFoundAndListsAll) {
  for (const char* name : {"", "moons", "u5", "SEED-MOONS", "../u1"}) {
    const auto found = FindTarget(name);
    ASSERT_EQ(found.status().code(), absl::StatusCode::kNotFound) << name;
    EXPECT_THAT(std::string(found.status().message()), testing::HasSubstr("seed-moons"));
    EXPECT_EQ(ResourceOf(found.status())->type, "target");
  }
}

}  // namespace
}  // namespace sluiced::targets
