// Which numbers of a flow's flat parameter buffer its maps really multiply with.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "server/flows/flow_spec.h"

namespace sluiced::engine {

// The part of one linear map that the masks leave: weight(o, i) stands at
// weight + o * stride + i, bias(o) at bias + o.
struct MapPlace {
  size_t weight, bias, stride;
  size_t in, out;
};

// A conditioner: one net or, side by side, two that read the same.
struct NetPlace {
  // depth + 1 maps, each of every net.
  std::vector<std::vector<MapPlace>> maps;
  // Which of its weights in a row of the first map an input meets; empty: the i-th.
  std::vector<size_t> inputs;
  // Of a masked net: how many of its inputs, the first ones, each output of a map meets.
  // Empty: all.
  std::vector<std::vector<size_t>> needs;
  // The inputs that are made of columns; the others are context.
  size_t first_feature = 0, features = 0;

  size_t nets() const { return maps.front().size(); }
  size_t in() const { return maps.front()[0].in; }
  size_t out() const { return maps.back()[0].out; }  // Of each net.
  size_t hidden() const { return maps.front()[0].out; }
  size_t depth() const { return maps.size() - 1; }
  // Weights that one row meets.
  size_t MultiplyAdds() const;
};

// A shift, where there is one, and a log-scale for each column.
struct ScalePlace {
  std::optional<size_t> shift;
  size_t log_scale;
  std::vector<bool> still;  // Columns that it leaves as they are; empty: none.
};

struct LayerPlace {
  size_t layer;                 // Of the spec.
  size_t seen, seen_columns;    // It conditions on [seen, seen + seen_columns),
  size_t moved, moved_columns;  // and transforms these, at least one.
  NetPlace net;
  // Of autoregressive layers, [dim]: its columns, each mapped by what is made of those
  // before it.
  std::vector<size_t> order;
  // Behind it, in the order of FromBase.
  std::optional<ScalePlace> act_norm;
  std::optional<size_t> lu;         // Where the packed triangles begin.
  std::vector<size_t> permutation;  // u[i] = x[permutation[i]]; empty: none.
};

// The base's learnt numbers: [components] logits, means and log-scales [components, dim].
struct BasePlace {
  size_t components = 1;
  std::optional<size_t> logits = {}, loc = {}, log_scale = {};
};

struct Layout {
  size_t dim, context, parameters;
  BasePlace base;
  std::optional<ScalePlace> scaling;  // The first of FromBase.
  std::vector<LayerPlace> layers;     // In the order of FromBase; only those that transform.

  // Weights that one row meets: a multiply-add each.
  size_t MultiplyAdds() const;
};

// `spec` is valid (flows::Validate) and the engine's (flows::IsInEngine).
Layout LayoutOf(const flows::FlowSpec& spec);

}  // namespace sluiced::engine
