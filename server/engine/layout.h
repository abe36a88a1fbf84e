// Which numbers of a flow's flat parameter buffer its maps really multiply with.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "server/flows/flow_spec.h"

namespace sluiced::engine {

// The part of one linear map that the masks leave: weight(o, i) stands at
// weight + o * stride + i, bias(o) at bias + o.
struct MapPlace {
  size_t weight, bias, stride;
  size_t in, out;
};

struct LayerPlace {
  size_t from;          // The half it conditions on: 0 or 1.
  size_t conditioning;  // Columns of that half, 0 in one dimension.
  size_t transformed;   // Columns of the other one, at least 1.
  // depth + 1 maps, each of the scale and of the shift net.
  std::vector<std::array<MapPlace, 2>> maps;
};

struct Layout {
  size_t dim, hidden, depth, parameters;
  std::array<size_t, 2> halves;    // floor(dim / 2) columns, and the rest.
  std::vector<LayerPlace> layers;  // In the order of FromBase; only those that transform.

  // Weights that one row meets: a multiply-add each.
  size_t MultiplyAdds() const;
};

// `spec` is valid (flows::Validate).
Layout LayoutOf(const flows::FlowSpec& spec);

}  // namespace sluiced::engine
