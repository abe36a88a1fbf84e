#include "server/evaluation/weights.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "server/evaluation/pareto.h"

namespace sluiced::evaluation {

std::vector<double> LogWeights(std::span<const double> log_p, std::span<const double> log_q) {
  std::vector<double> log_weights(log_p.size());
  for (size_t i = 0; i < log_p.size(); ++i) {
    const double log_weight = log_p[i] - log_q[i];
    log_weights[i] =
        std::isfinite(log_weight) ? log_weight : -std::numeric_limits<double>::infinity();
  }
  return log_weights;
}

WeightSummary SummaryOf(const std::vector<double>& log_weights) {
  WeightSummary summary;
  summary.draws = static_cast<int64_t>(log_weights.size());
  // Weights p/q of draws whose log q is 0.
  const Estimates estimates =
      Estimate({std::vector<double>(log_weights.size()), log_weights, log_weights}, std::nullopt);
  summary.log_z = estimates.log_z_estimate;
  summary.log_z_error = estimates.log_z_error;
  summary.ess = estimates.ess_fraction.value_or(0) * static_cast<double>(summary.draws);
  std::vector<double> finite;
  for (double w : log_weights) {
    if (std::isfinite(w)) finite.push_back(w);
  }
  summary.outside = summary.draws - static_cast<int64_t>(finite.size());
  if (finite.empty()) return summary;
  std::sort(finite.begin(), finite.end(), std::greater<>());
  const double log_sum = *summary.log_z + std::log(static_cast<double>(summary.draws));
  summary.largest_share = std::exp(finite.front() - log_sum);
  summary.pareto_k = SmoothTail(log_weights).k;
  const size_t shown = std::min({finite.size(), kMostOfTail, 4 * TailSize(log_weights.size())});
  for (size_t i = 0; i < shown; ++i) summary.tail.push_back(finite[i] - *summary.log_z);
  return summary;
}

}  // namespace sluiced::evaluation
