// Where each named parameter lies in a flow's one flat buffer. No LibTorch here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/common/array.h"
#include "server/flows/flow_spec.h"

namespace sluiced::flows {

// One linear map of a conditioner: weight [out, in], bias [out].
struct LinearShape {
  int64_t in, out;
};

// dim -> hidden -> ... -> hidden -> dim: depth + 1 maps, the same in every layer,
// for the scale net as for the shift net.
std::vector<LinearShape> ConditionerShapes(const FlowSpec& spec);

struct ParameterSlice {
  std::string name;  // "layers.0.sequential_scale_nn.0.weight", as the seed's state_dict.
  std::vector<int64_t> shape;
  int64_t offset;  // In numbers, from the start of the buffer.
  int64_t size;
};

// In buffer order: layer by layer, the scale net before the shift net, weight
// [out, in] before bias [out]. Slices are contiguous and cover the buffer, so the
// buffer of L layers is [L, 2, numbers of one net].
std::vector<ParameterSlice> ParameterLayout(const FlowSpec& spec);
int64_t ParameterCount(const FlowSpec& spec);

// A pure function of spec and seed, the same on every platform and thread count.
// Shape [ParameterCount(spec)].
Array InitialParameters(const FlowSpec& spec, uint64_t seed);

// True for the coordinates that layer `layer` conditions on and leaves untouched:
// the first floor(dim/2) on even layers, the rest on odd ones.
std::vector<bool> ConditioningMask(const FlowSpec& spec, int64_t layer);

}  // namespace sluiced::flows
