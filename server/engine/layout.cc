#include "server/engine/layout.h"

#include <utility>

#include "server/flows/parameters.h"

namespace sluiced::engine {
namespace {

using flows::Part;

// Where each layer's conditioner begins.
std::vector<size_t> ConditionerStarts(const flows::FlowSpec& spec) {
  std::vector<size_t> starts;
  for (const flows::ParameterSlice& slice : flows::ParameterLayout(spec)) {
    if (slice.part != Part::kConditioner) continue;
    if (static_cast<size_t>(slice.layer) == starts.size()) {
      starts.push_back(static_cast<size_t>(slice.offset));
    }
  }
  return starts;
}

// `nets` nets of these shapes one behind the other.
NetPlace PlaceNets(const std::vector<flows::LinearShape>& shapes, size_t nets, size_t start) {
  NetPlace place;
  place.maps.resize(shapes.size());
  size_t at = start;
  for (size_t net = 0; net < nets; ++net) {
    for (size_t k = 0; k < shapes.size(); ++k) {
      const auto in = static_cast<size_t>(shapes[k].in);
      const auto out = static_cast<size_t>(shapes[k].out);
      place.maps[k].push_back(
          {.weight = at, .bias = at + in * out, .stride = in, .in = in, .out = out});
      at += (in + 1) * out;
    }
  }
  return place;
}

// The seed's nets read and make all columns; what they mask away is left out.
void LeaveOutMasked(const LayerPlace& layer, size_t dim, size_t context, NetPlace& net) {
  for (MapPlace& map : net.maps.front()) {
    map.in = layer.seen_columns + context;
    if (context == 0) map.weight += layer.seen;
  }
  if (context > 0) {
    for (size_t i = 0; i < layer.seen_columns; ++i) net.inputs.push_back(layer.seen + i);
    for (size_t i = 0; i < context; ++i) net.inputs.push_back(dim + i);
  }
  for (MapPlace& map : net.maps.back()) {
    map.weight += layer.moved * map.stride;
    map.bias += layer.moved;
    map.out = layer.moved_columns;
  }
}

LayerPlace PlaceLayer(const flows::FlowSpec& spec, int64_t layer, size_t start) {
  const flows::ColumnRange seen = flows::ConditioningRange(spec, layer);
  const flows::ColumnRange moved = flows::TransformedRange(spec, layer);
  LayerPlace place = {.layer = static_cast<size_t>(layer),
                      .seen = static_cast<size_t>(seen.begin),
                      .seen_columns = static_cast<size_t>(seen.size()),
                      .moved = static_cast<size_t>(moved.begin),
                      .moved_columns = static_cast<size_t>(moved.size()),
                      .net = {}};
  const bool seeds = spec.architecture == flows::Architecture::kRealNvp;
  place.net = PlaceNets(flows::ConditionerShapes(spec, layer), seeds ? 2 : 1, start);
  if (seeds) {
    LeaveOutMasked(place, static_cast<size_t>(spec.dim), static_cast<size_t>(spec.context_dim),
                   place.net);
  }
  place.net.features = static_cast<size_t>(flows::FeaturesOf(spec, seen));
  return place;
}

}  // namespace

size_t Layout::MultiplyAdds() const {
  size_t count = 0;
  for (const LayerPlace& layer : layers) {
    for (const auto& nets : layer.net.maps) count += nets.size() * nets[0].in * nets[0].out;
  }
  return count;
}

Layout LayoutOf(const flows::FlowSpec& spec) {
  Layout layout = {.dim = static_cast<size_t>(spec.dim),
                   .context = static_cast<size_t>(spec.context_dim),
                   .parameters = static_cast<size_t>(flows::ParameterCount(spec)),
                   .layers = {}};
  const std::vector<size_t> starts = ConditionerStarts(spec);
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    // Odd layers of real-nvp in one dimension have nothing to transform.
    if (flows::TransformedRange(spec, layer).size() == 0) continue;
    layout.layers.push_back(PlaceLayer(spec, layer, starts[static_cast<size_t>(layer)]));
  }
  return layout;
}

}  // namespace sluiced::engine
