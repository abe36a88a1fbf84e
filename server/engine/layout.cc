#include "server/engine/layout.h"

#include "server/flows/parameters.h"

namespace sluiced::engine {
namespace {

LayerPlace PlaceLayer(const Layout& layout, const std::vector<flows::LinearShape>& shapes,
                      size_t layer, size_t start) {
  LayerPlace place;
  place.from = layer % 2;
  place.conditioning = layout.halves[place.from];
  place.transformed = layout.halves[1 - place.from];
  // The first half begins at column 0, the second where the first ends.
  const size_t first_in = place.from == 0 ? 0 : layout.halves[0];
  const size_t first_out = place.from == 0 ? layout.halves[0] : 0;
  place.maps.resize(shapes.size());
  size_t at = start;
  for (size_t net = 0; net < 2; ++net) {
    for (size_t k = 0; k < shapes.size(); ++k) {
      const auto in = static_cast<size_t>(shapes[k].in);
      const auto out = static_cast<size_t>(shapes[k].out);
      MapPlace map = {.weight = at, .bias = at + in * out, .stride = in, .in = in, .out = out};
      if (k == 0) {
        map.weight += first_in;
        map.in = place.conditioning;
      }
      if (k + 1 == shapes.size()) {
        map.weight += first_out * in;
        map.bias += first_out;
        map.out = place.transformed;
      }
      place.maps[k][net] = map;
      at += (in + 1) * out;
    }
  }
  return place;
}

}  // namespace

size_t Layout::MultiplyAdds() const {
  size_t count = 0;
  for (const LayerPlace& layer : layers) {
    for (const auto& nets : layer.maps) count += 2 * nets[0].in * nets[0].out;
  }
  return count;
}

Layout LayoutOf(const flows::FlowSpec& spec) {
  const auto dim = static_cast<size_t>(spec.dim);
  Layout layout = {.dim = dim,
                   .hidden = static_cast<size_t>(spec.hidden),
                   .depth = static_cast<size_t>(spec.depth),
                   .parameters = static_cast<size_t>(flows::ParameterCount(spec)),
                   .halves = {dim / 2, dim - dim / 2},
                   .layers = {}};
  const std::vector<flows::LinearShape> shapes = flows::ConditionerShapes(spec);
  const size_t layers = static_cast<size_t>(spec.layers);
  for (size_t layer = 0; layer < layers; ++layer) {
    // Odd layers of one dimension have nothing to transform.
    if (layout.halves[1 - layer % 2] == 0) continue;
    layout.layers.push_back(
        PlaceLayer(layout, shapes, layer, layer * (layout.parameters / layers)));
  }
  return layout;
}

}  // namespace sluiced::engine
