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

// real-nvp: dim + context_dim -> hidden -> ... -> hidden -> dim: depth + 1 maps, the
// same in every layer, for the scale net as for the shift net.
// All others: FeaturesOf(ConditioningRange) + context_dim -> hidden -> ... -> hidden ->
// OutputsOf(TransformedRange), from one net.
std::vector<LinearShape> ConditionerShapes(const FlowSpec& spec, int64_t layer = 0);

// Columns [begin, end).
struct ColumnRange {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};
// The columns that a coupling layer conditions on, and those that it transforms: the
// first floor(dim/2) and the rest on even layers, the other way round on odd ones. A
// single column is transformed in every layer, but for real-nvp. Autoregressive
// layers condition on all and transform all.
ColumnRange ConditioningRange(const FlowSpec& spec, int64_t layer);
ColumnRange TransformedRange(const FlowSpec& spec, int64_t layer);

// Numbers that a conditioner sees of these columns: a periodic one as its cosine and
// sine, side by side.
int64_t FeaturesOf(const FlowSpec& spec, ColumnRange columns);
// Numbers that a conditioner makes for one column: 1 (shift) for nice, 2 (log-scale,
// shift) for affine maps, for splines `bins` widths, as many heights, and slopes at
// the bins - 1 inner knots (bins of them when periodic: both ends share the first).
// They stand column by column.
int64_t OutputsOfColumn(const FlowSpec& spec, bool periodic);
int64_t OutputsOf(const FlowSpec& spec, ColumnRange columns);

// The columns in the order of an autoregressive layer, each conditioned on those before
// it: ascending on even layers, descending on odd ones.
std::vector<int64_t> AutoregressiveOrder(const FlowSpec& spec, int64_t layer);
// Degrees of the hidden units of an autoregressive conditioner, ascending: unit h sees
// the columns of rank < degree (from 0), and the column of rank r the units of
// degree <= r. A degree 0 sees the context alone (Germain et al. 2015).
std::vector<int64_t> HiddenDegrees(const FlowSpec& spec);

// u[:, i] = x[:, permutation[i]], on the data's side of the layer. Mixing::kPermute
// only, and of odd layers; empty: none. A pure function of dim and layer.
std::vector<int64_t> Permutation(const FlowSpec& spec, int64_t layer);

enum class Part {
  kConditioner,
  kActNorm,  // shift [dim], log_scale [dim]
  kLu,       // [dim, dim]: L below the diagonal, log U_ii on it, U above it.
  kScaling,  // nice: log_scale [dim] of the whole flow.
  kBase,     // loc, log_scale [dim]; of a mixture logits [K], loc and log_scale [K, dim].
};

struct ParameterSlice {
  std::string name;  // "layers.0.sequential_scale_nn.0.weight", as the seed's state_dict.
  std::vector<int64_t> shape;
  int64_t offset;  // In numbers, from the start of the buffer.
  int64_t size;
  Part part;
  int64_t layer;  // -1: of the whole flow.
};

// In buffer order: layer by layer, in each LU, act norm, and the conditioners map by
// map, weight [out, in] before bias [out]; then the scaling, then the base. Slices are
// contiguous and cover the buffer. Of real-nvp the scale net stands before the shift
// net, so that its buffer is [layers, 2, numbers of one net].
std::vector<ParameterSlice> ParameterLayout(const FlowSpec& spec);
// Those of one part of one layer (-1: of the whole flow), without making all others.
std::vector<ParameterSlice> SlicesOf(const FlowSpec& spec, Part part, int64_t layer);
int64_t ParameterCount(const FlowSpec& spec);
// The same of a spec whose numbers may be too many to count.
double ApproximateParameterCount(const FlowSpec& spec);

// A pure function of spec and seed, the same on every platform and thread count.
// Shape [ParameterCount(spec)].
Array InitialParameters(const FlowSpec& spec, uint64_t seed);

// real-nvp: true for the coordinates that layer `layer` conditions on and leaves
// untouched.
std::vector<bool> ConditioningMask(const FlowSpec& spec, int64_t layer);

}  // namespace sluiced::flows
