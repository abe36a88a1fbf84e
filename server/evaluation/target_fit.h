// How well a flow fits a target. No LibTorch here.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "server/evaluation/flow_rows.h"
#include "server/evaluation/weights.h"
#include "server/flows/flow.h"
#include "server/targets/target.h"

namespace sluiced::evaluation {

// All of it from draws of the flow itself: what of the target the flow misses shows in
// none of it.
struct TargetFit {
  // KL(q || p) of the flow on the target's support; where log Z is known.
  std::optional<double> kl, kl_error;
  std::optional<double> log_z_known;
  WeightSummary weights;
};

// An unconditional flow of the target's dim; draws >= 1. A pure function of its arguments.
absl::StatusOr<TargetFit> FitOfTarget(const flows::Flow& flow, const targets::Target& target,
                                      int64_t draws, uint64_t seed, const KeepGoing& keep_going);

}  // namespace sluiced::evaluation
