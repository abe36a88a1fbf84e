// Draws of a target by way of a flow: what the flow gets wrong is corrected by weights.
// No LibTorch here.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "server/common/array.h"
#include "server/evaluation/flow_rows.h"
#include "server/evaluation/weights.h"
#include "server/flows/flow.h"
#include "server/targets/target.h"

namespace sluiced::evaluation {

enum class Correction {
  kImportance,  // The flow's draws, each with its weight.
  kResample,    // Sampling-importance-resampling by weights of a smoothed tail (PSIS).
  kMcmc,        // Independence Metropolis-Hastings, proposals from the flow.
};

struct CorrectionPlan {
  Correction method = Correction::kImportance;
  int64_t rows = 0;       // >= 1
  int64_t proposals = 0;  // kResample: draws of the flow to choose from, >= 1.
  int64_t chains = 1;     // kMcmc: 1 to rows.
  int64_t burn_in = 0;    // kMcmc: steps of each chain that are not kept.
  uint64_t seed = 0;
};
// Draws of the flow that the plan takes; INT64_MAX where they are too many to count.
int64_t ProposalsOf(const CorrectionPlan& plan);

struct CorrectedSample {
  Array x;                          // [rows, dim]; kMcmc: chain after chain.
  std::vector<double> log_weights;  // kImportance: normalised, their exponentials sum to 1.
  WeightSummary weights;            // Of all proposals.
  int64_t distinct_rows = 0;        // Of the flow's draws among the rows.
  // kMcmc, over the steps kept.
  std::optional<double> acceptance_rate;
  int64_t longest_stay = 0;  // Steps in a row that a chain stood on one draw.
};

// A pure function of its arguments. FAILED_PRECONDITION where no draw lies on the
// target's support, or a chain has not found it by the end of its burn-in.
absl::StatusOr<CorrectedSample> SampleCorrected(const flows::Flow& flow,
                                                const targets::Target& target,
                                                const CorrectionPlan& plan,
                                                const KeepGoing& keep_going);

}  // namespace sluiced::evaluation
