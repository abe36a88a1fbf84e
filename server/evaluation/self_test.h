// Whether a stored flow keeps the laws of a flow: what it draws is what it scores.
// No LibTorch here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/evaluation/flow_rows.h"
#include "server/flows/flow.h"

namespace sluiced::evaluation {

struct Law {
  std::string name = {};         // "round_trip"
  std::string description = {};  // What was measured, or why it was not.
  bool checked = true;
  double measured = 0;  // Kept where it is at most `tolerance`.
  double tolerance = 0;

  bool kept() const { return !checked || measured <= tolerance; }
};

inline constexpr int64_t kFewestTestedDraws = 100;

// On `draws` >= kFewestTestedDraws draws of the flow, of conditional flows each at a
// context of its own. A pure function of its arguments.
absl::StatusOr<std::vector<Law>> TestFlow(const flows::Flow& flow, int64_t draws, uint64_t seed,
                                          const KeepGoing& keep_going);

}  // namespace sluiced::evaluation
