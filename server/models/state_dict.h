// The state_dict of a plain RealNVP in PyTorch: its spec, read off names and
// shapes.
#pragma once

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "server/common/safetensors.h"
#include "server/flows/flow_spec.h"

namespace sluiced::models {

struct StateDictSpec {
  flows::FlowSpec spec;         // Raw scales, no standardisation.
  std::set<std::string> masks;  // Names of the tensors that hold masks.
};

// Names are layers.{i}.sequential_{scale,shift}_nn.{2j}.{weight,bias}; masks
// (block_masks.{i}, layers.{i}.block_mask) may be there and must be the
// alternating halves. INVALID_ARGUMENT saying what stands against it. Does not
// look at the other tensors.
absl::StatusOr<StateDictSpec> ReadStateDictSpec(const SafetensorsFile& file);

}  // namespace sluiced::models
