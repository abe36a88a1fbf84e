// Importance-sampling estimates from draws of a flow. No LibTorch here.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace sluiced::evaluation {

// One entry a draw x of the flow q. NaN and +inf log_q count as draws lost.
struct Draws {
  std::vector<double> log_q;          // log q(x)
  std::vector<double> log_p;          // Unnormalised; -inf off the support.
  std::vector<double> log_continued;  // Target::EvaluateContinued.
};

struct Estimates {
  double loss = 0;  // Mean of log q - log_continued.
  // kl is that of the flow restricted to the target's support:
  //   mean over draws inside of (log q - log p) + log Z - log(fraction inside),
  // which is loss + log Z where the support is the whole space. Without the
  // restriction it were infinite for any mass outside.
  std::optional<double> kl, kl_error;
  std::optional<double> log_z_estimate, log_z_error;  // By the mean weight p/q.
  std::optional<double> ess_fraction;                 // Kish: (sum w)^2 / sum w^2 / draws.
};

// The errors and the effective sample size understate the truth when the flow misses
// a part of the target.
Estimates Estimate(const Draws& draws, std::optional<double> log_z_known);

}  // namespace sluiced::evaluation
