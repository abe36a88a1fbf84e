// A posterior with a closed form, learnt from pairs: theta normal, y_i = theta_i +
// theta_(i+1) / 2 + noise of deviation 1/2, in eight dimensions, round in a circle.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>

#include "server/common/array_parts.h"
#include "server/data/generators.h"
#include "server/evaluation/rows_fit.h"
#include "server/models/engine_flow.h"
#include "tests/training/training_support.h"

namespace sluiced::training {
namespace {

using evaluation::RowsFit;
using evaluation::TwoSampleTest;

constexpr size_t kDim = 8;
constexpr int64_t kRow = 2 * kDim;
constexpr double kPrecision = 4;  // Of the noise.

Array Pairs(int64_t rows, uint64_t seed) {
  return data::Generate("linear-gaussian", rows, seed, std::nullopt)->rows;
}

absl::Status Always() { return absl::OkStatus(); }

// Of the circulant matrix that maps theta to y without noise.
std::complex<double> Eigenvalue(size_t k) {
  const double angle = 2 * std::numbers::pi * static_cast<double>(k) / kDim;
  return 1.0 + 0.5 * std::polar(1.0, angle);
}

// Of the posterior, the same for every y, in nats.
double Entropy() {
  double entropy = kDim / 2.0 * std::log(2 * std::numbers::pi * std::numbers::e);
  for (size_t k = 0; k < kDim; ++k) {
    entropy -= std::log(1 + kPrecision * std::norm(Eigenvalue(k))) / 2;
  }
  return entropy;
}

// theta_i moves by gain[(i - j) mod 8] times what y_j lies above what was expected.
std::array<double, kDim> Gain() {
  std::array<double, kDim> gain{};
  for (size_t i = 0; i < kDim; ++i) {
    for (size_t k = 0; k < kDim; ++k) {
      const std::complex<double> a = Eigenvalue(k);
      const double angle = 2 * std::numbers::pi * static_cast<double>(i * k) / kDim;
      gain[i] +=
          (kPrecision * std::conj(a) / (1 + kPrecision * std::norm(a)) * std::polar(1.0, angle))
              .real() /
          kDim;
    }
  }
  return gain;
}

// Exact: a pair of the prior, corrected by the gain (Matheron's rule).
Array PosteriorDraws(std::span<const float> y, int64_t rows, uint64_t seed) {
  const Array pairs = Pairs(rows, seed);
  const std::array<double, kDim> gain = Gain();
  Array draws(DType::kFloat32, {rows, kDim});
  for (int64_t row = 0; row < rows; ++row) {
    for (size_t i = 0; i < kDim; ++i) {
      double theta = pairs.At(row * kRow + static_cast<int64_t>(i));
      for (size_t j = 0; j < kDim; ++j) {
        const double seen = pairs.At(row * kRow + static_cast<int64_t>(kDim + j));
        theta += gain[(i + kDim - j) % kDim] * (y[j] - seen);
      }
      draws.as<float>()[static_cast<size_t>(row) * kDim + i] = static_cast<float>(theta);
    }
  }
  return draws;
}

std::shared_ptr<const flows::Flow> LearntPosterior() {
  TrainInput input;
  flows::FlowSpec& spec = input.start.spec;
  spec.architecture = flows::Architecture::kMaskedAutoregressive;
  spec.dim = spec.context_dim = kDim;
  input.start.parameters = flows::InitialParameters(spec, 1);
  input.rows = std::make_shared<const Array>(Pairs(200'000, 1));
  input.config.epochs = 5;
  input.config.batch_size = 512;
  input.config.learning_rate = 3e-3;
  input.config.schedule = Schedule::kCosine;
  return models::MakeFlow(Train(input, {})->state).value();
}

TEST(Posterior, IsTheOneOfItsClosedForm) {
  const auto flow = LearntPosterior();
  const RowsFit fit =
      evaluation::FitOfRows(*flow, Pairs(1000, 2), /*draws=*/100, /*seed=*/3, Always).value();
  // On the same rows no density does better; on others by chance.
  EXPECT_NEAR(fit.log_likelihood.mean, -Entropy(), 0.03 + 3 * fit.log_likelihood.error);
  EXPECT_LE(fit.two_sample.accuracy.mean, 0.52 + 2 * fit.two_sample.accuracy.error);
  for (const auto& column : fit.calibration) EXPECT_GT(column.ks.p_value, 1e-3);
  for (const auto& level : fit.coverage.levels) {
    EXPECT_NEAR(level.covered.mean, level.level, 4 * level.covered.error);
  }

  const Array one = Pairs(1, 4);
  Array y(DType::kFloat32, {1, kDim});
  std::ranges::copy(one.as<float>().subspan(kDim), y.as<float>().begin());
  const std::vector<int64_t> same(5000);
  const Array drawn = flow->Sample(5000, /*seed=*/5, 0, TakeRows(y, same))->x;
  const TwoSampleTest test =
      evaluation::TellApart(PosteriorDraws(y.as<float>(), 5000, 6), drawn, 7, Always).value();
  EXPECT_LE(test.accuracy.mean, 0.52);
}

}  // namespace
}  // namespace sluiced::training
