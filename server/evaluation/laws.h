// The laws of TestFlow, one by one. No LibTorch here.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "server/common/array.h"
#include "server/evaluation/flow_rows.h"
#include "server/evaluation/self_test.h"
#include "server/flows/flow.h"

namespace sluiced::evaluation {

// Draws of the flow that are finite, at least two.
struct LawInput {
  const flows::Flow& flow;
  std::shared_ptr<const flows::Flow> reference = nullptr;  // In float64, in LibTorch.
  uint64_t seed = 0;
  const KeepGoing& keep_going;
  Array context = {};                 // [n, context_dim]
  Array x = {};                       // [n, dim]
  std::vector<double> log_prob = {};  // As they were drawn.
};

// Of maps.
Law FiniteRowsLaw(const flows::Samples& all);           // Draws are finite, but for a few.
absl::StatusOr<Law> RepeatableLaw(const LawInput& in);  // A seed's rows are its rows.
absl::StatusOr<Law> ScoreLaw(const LawInput& in);       // LogProb says what Sample said.
absl::StatusOr<Law> ReferenceLaw(const LawInput& in);   // And the reference says the same.
absl::StatusOr<Law> RoundTripLaw(const LawInput& in);   // x is FromBase of ToBase of x.
absl::StatusOr<Law> LogDetLaw(const LawInput& in);      // ladj is that of the Jacobian.

// Of densities.
absl::StatusOr<Law> IntegralLaw(const LawInput& in);  // The density integrates to 1.
absl::StatusOr<Law> BaseLaw(const LawInput& in);      // Draws map to draws of the base.

}  // namespace sluiced::evaluation
