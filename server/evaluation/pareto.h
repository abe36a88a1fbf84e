// The tail of importance weights, and weights with a tail that is smoothed: PSIS
// (Vehtari, Simpson, Gelman, Yao and Gabry 2024, JMLR 25). No LibTorch here.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace sluiced::evaluation {

// Generalised Pareto distribution of exceedances.
struct Pareto {
  double k = 0;      // Shape; moments of order 1/k and above do not exist.
  double scale = 0;  // > 0
};
// By the empirical Bayes estimate of Zhang and Stephens 2009, of `exceedances` >= 0,
// sorted ascending; at least kFewestForTail of them, the largest > 0.
Pareto FitPareto(std::span<const double> exceedances);
inline constexpr size_t kFewestForTail = 5;

// As many of the largest weights as PSIS takes for the tail: min(n / 5, 3 sqrt(n)).
size_t TailSize(size_t weights);

struct SmoothedWeights {
  std::vector<double> log_weights;  // As given, but for the tail's; -inf stays.
  // k-hat with PSIS's weak prior towards 1/2. Below 0.7 the weights may be trusted;
  // above, their mean converges too slowly. Nullopt where too few are finite or no
  // two of the tail differ.
  std::optional<double> k;
};
// No +inf or NaN among them.
SmoothedWeights SmoothTail(std::vector<double> log_weights);

}  // namespace sluiced::evaluation
