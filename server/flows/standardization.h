// What a flow shifts and scales its columns by. No LibTorch here.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "server/flows/flow_spec.h"

namespace sluiced::flows {

// Columns, on the real line by their support's map, are mapped to (u - shift) / scale
// before the flow, and context likewise. Empty: no map.
struct Standardization {
  std::vector<double> shift;               // [dim]
  std::vector<double> scale;               // [dim], > 0
  std::vector<double> context_shift = {};  // [context_dim]
  std::vector<double> context_scale = {};  // [context_dim], > 0

  bool empty() const { return shift.empty() && context_shift.empty(); }
  friend bool operator==(const Standardization&, const Standardization&) = default;
};

// INVALID_ARGUMENT naming "standardization" where the numbers are not as many as the
// spec's columns, not finite, or no scale that the spec's dtype can divide by.
absl::Status CheckStandardization(const FlowSpec& spec, const Standardization& map);

}  // namespace sluiced::flows
