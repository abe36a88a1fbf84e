#include "server/evaluation/importance.h"

#include <algorithm>
#include <cmath>

#include "server/evaluation/mean_error.h"

namespace sluiced::evaluation {
namespace {

void EstimateLogZ(const std::vector<double>& log_weights, double draws, Estimates& estimates) {
  const double largest = *std::max_element(log_weights.begin(), log_weights.end());
  double sum = 0, squares = 0;
  for (double w : log_weights) {
    const double weight = std::exp(w - largest);
    sum += weight;
    squares += weight * weight;
  }
  const double ess_fraction = sum * sum / squares / draws;
  estimates.log_z_estimate = largest + std::log(sum / draws);
  estimates.ess_fraction = ess_fraction;
  // The relative variance of the weights is 1 / ess_fraction - 1.
  estimates.log_z_error = std::sqrt(std::max(1 / ess_fraction - 1, 0.0) / draws);
}

}  // namespace

Estimates Estimate(const Draws& draws, std::optional<double> log_z_known) {
  Estimates estimates;
  const auto count = static_cast<double>(draws.log_q.size());
  std::vector<double> log_weights, inside;
  for (size_t i = 0; i < draws.log_q.size(); ++i) {
    estimates.loss += (draws.log_q[i] - draws.log_continued[i]) / count;
    const double log_weight = draws.log_p[i] - draws.log_q[i];
    if (!std::isfinite(log_weight)) continue;
    log_weights.push_back(log_weight);
    inside.push_back(-log_weight);
  }
  if (log_weights.empty()) return estimates;
  EstimateLogZ(log_weights, count, estimates);
  if (log_z_known) {
    const MeanError divergence = MeanOf(inside);
    const double fraction = static_cast<double>(inside.size()) / count;
    estimates.kl = divergence.mean + *log_z_known - std::log(fraction);
    estimates.kl_error = divergence.error;
  }
  return estimates;
}

}  // namespace sluiced::evaluation
