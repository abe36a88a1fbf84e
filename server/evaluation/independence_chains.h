// Independence Metropolis-Hastings (Tierney 1994) over draws that were made beforehand.
// No LibTorch here.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

namespace sluiced::evaluation {

struct ChainPlan {
  int64_t rows = 0;     // >= 1, of all chains together.
  int64_t chains = 1;   // 1 to rows.
  int64_t burn_in = 0;  // Steps of each chain before those kept.
};
// Of each chain: the last ones keep fewer where the rows are no multiple.
int64_t KeptSteps(int64_t rows, int64_t chains);

struct ChainRows {
  std::vector<int64_t> rows;   // [plan.rows] numbers of draws, chain after chain.
  double acceptance_rate = 0;  // Of the steps kept.
  int64_t longest_stay = 0;    // Steps kept in a row on one draw.
};

// Chain c proposes the draws [c * steps, (c + 1) * steps), steps = burn_in + KeptSteps,
// and begins on the first of them. log_weights: log p - log q of each draw.
// FAILED_PRECONDITION where a chain still stands on weight zero after its burn-in.
absl::StatusOr<ChainRows> RunChains(const std::vector<double>& log_weights, const ChainPlan& plan,
                                    uint64_t seed);

}  // namespace sluiced::evaluation
