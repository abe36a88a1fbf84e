#include "server/evaluation/pareto.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sluiced::evaluation {
namespace {

constexpr double kNegativeInfinity = -std::numeric_limits<double>::infinity();

// k of a distribution whose k / scale is -b: the mean of log(1 - b x).
double ShapeAt(double b, std::span<const double> x) {
  double sum = 0;
  for (double value : x) sum += std::log1p(-b * value);
  return sum / static_cast<double>(x.size());
}

// Candidates b of Zhang and Stephens, spread by a prior around the first quartile.
std::vector<double> Candidates(std::span<const double> x) {
  constexpr double kPrior = 3;
  const auto count = static_cast<double>(x.size());
  const auto most = static_cast<size_t>(30 + std::sqrt(count));
  const double quartile = std::max(x[static_cast<size_t>(count / 4 + 0.5) - 1], x.back() * 1e-10);
  std::vector<double> candidates(most);
  for (size_t i = 0; i < most; ++i) {
    const double spread = 1 - std::sqrt(static_cast<double>(most) / (static_cast<double>(i) + 0.5));
    candidates[i] = spread / (kPrior * quartile) + 1 / x.back();
  }
  return candidates;
}

double Quantile(const Pareto& pareto, double p) {
  if (std::abs(pareto.k) < 1e-12) return -pareto.scale * std::log1p(-p);
  return pareto.scale * std::expm1(-pareto.k * std::log1p(-p)) / pareto.k;
}

}  // namespace

Pareto FitPareto(std::span<const double> exceedances) {
  const auto count = static_cast<double>(exceedances.size());
  const std::vector<double> candidates = Candidates(exceedances);
  std::vector<double> log_likelihood;
  for (double b : candidates) {
    const double k = ShapeAt(b, exceedances);
    log_likelihood.push_back(count * (std::log(-b / k) - k - 1));
  }
  const double highest = *std::max_element(log_likelihood.begin(), log_likelihood.end());
  double total = 0, b = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const double weight = std::exp(log_likelihood[i] - highest);
    total += weight;
    b += weight * candidates[i];
  }
  b /= total;
  const double k = ShapeAt(b, exceedances);
  return {k, -k / b};
}

size_t TailSize(size_t weights) {
  const auto count = static_cast<double>(weights);
  return static_cast<size_t>(std::ceil(std::min(count / 5, 3 * std::sqrt(count))));
}

SmoothedWeights SmoothTail(std::vector<double> log_weights) {
  SmoothedWeights smoothed{std::move(log_weights), std::nullopt};
  std::vector<double>& weights = smoothed.log_weights;
  std::vector<size_t> order(weights.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t i, size_t j) { return weights[i] < weights[j]; });
  const size_t tail = TailSize(weights.size());
  if (tail < kFewestForTail || tail >= weights.size()) return smoothed;
  const double largest = weights[order.back()];
  const double cutoff_log = weights[order[order.size() - tail - 1]];
  if (largest == kNegativeInfinity || cutoff_log == largest) return smoothed;
  const double cutoff = std::exp(cutoff_log - largest);
  std::vector<double> exceedances;
  const std::span<const size_t> of_tail = std::span(order).last(tail);
  for (size_t i : of_tail) {
    exceedances.push_back(std::max(std::exp(weights[i] - largest) - cutoff, 0.0));
  }
  Pareto fitted = FitPareto(exceedances);
  if (!std::isfinite(fitted.k) || !std::isfinite(fitted.scale)) return smoothed;
  const auto count = static_cast<double>(tail);
  constexpr double kPriorWeight = 10, kPriorShape = 0.5;
  fitted.k = (count * fitted.k + kPriorWeight * kPriorShape) / (count + kPriorWeight);
  smoothed.k = fitted.k;
  for (size_t i = 0; i < tail; ++i) {
    const double p = (static_cast<double>(i) + 0.5) / count;
    const double weight = std::min(Quantile(fitted, p) + cutoff, 1.0);
    weights[of_tail[i]] = largest + std::log(weight);
  }
  return smoothed;
}

}  // namespace sluiced::evaluation
