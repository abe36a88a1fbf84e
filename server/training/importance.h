// Importance-sampling estimates from draws of a flow. No LibTorch here.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "server/training/progress.h"

namespace sluiced::training {

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
  TargetProgress target;
  std::optional<double> kl_error;  // Standard error.
};

// log Z and its error by the mean weight p/q; the error and the effective sample
// size understate the truth when the flow misses a part of the target.
Estimates Estimate(const Draws& draws, std::optional<double> log_z_known);

}  // namespace sluiced::training
