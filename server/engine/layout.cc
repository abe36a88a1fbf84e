#include "server/engine/layout.h"

#include <algorithm>
#include <map>
#include <utility>

#include "server/flows/parameters.h"

namespace sluiced::engine {
namespace {

using flows::Part;

// Where the slices of a part begin: of a layer, or of the whole flow.
class Starts {
 public:
  explicit Starts(const flows::FlowSpec& spec) {
    for (const flows::ParameterSlice& slice : flows::ParameterLayout(spec)) {
      of_[{slice.part, slice.layer}].push_back(static_cast<size_t>(slice.offset));
    }
  }
  // Empty where the flow has none.
  const std::vector<size_t>& Of(Part part, int64_t layer) { return of_[{part, layer}]; }

 private:
  std::map<std::pair<Part, int64_t>, std::vector<size_t>> of_;
};

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

// The columns' features in their order behind the context, and what of them each unit may
// see (Germain et al. 2015, arXiv:1502.03509).
void PlaceMasks(const flows::FlowSpec& spec, int64_t layer, LayerPlace& place) {
  const std::vector<flows::Column> columns = flows::ColumnsOf(spec);
  NetPlace& net = place.net;
  const auto dim = static_cast<size_t>(spec.dim), context = static_cast<size_t>(spec.context_dim);
  const auto is_circle = [&](size_t column) {
    return columns[column].support == flows::Support::kPeriodic;
  };
  std::vector<size_t> first_feature;
  for (size_t column = 0, feature = 0; column < dim; ++column) {
    first_feature.push_back(feature);
    feature += is_circle(column) ? 2 : 1;
  }
  for (size_t i = 0; i < context; ++i) net.inputs.push_back(net.in() - context + i);
  // Inputs before those of the column of each rank, and of no column.
  std::vector<size_t> before, rank(dim);
  for (int64_t column : flows::AutoregressiveOrder(spec, layer)) {
    const auto c = static_cast<size_t>(column);
    rank[c] = before.size();
    before.push_back(net.inputs.size());
    place.order.push_back(c);
    for (size_t i = 0; i < (is_circle(c) ? 2 : 1); ++i) net.inputs.push_back(first_feature[c] + i);
  }
  net.first_feature = context;
  const std::vector<int64_t> degrees = flows::HiddenDegrees(spec);
  // Units that one of this degree may see: they ascend.
  const auto units = [&](size_t degree) {
    return static_cast<size_t>(
        std::upper_bound(degrees.begin(), degrees.end(), static_cast<int64_t>(degree)) -
        degrees.begin());
  };
  net.needs.resize(net.maps.size());
  for (int64_t degree : degrees) {
    net.needs[0].push_back(before[static_cast<size_t>(degree)]);
    for (size_t k = 1; k < net.depth(); ++k) {
      net.needs[k].push_back(units(static_cast<size_t>(degree)));
    }
  }
  for (size_t c = 0; c < dim; ++c) {
    const auto outputs = static_cast<size_t>(flows::OutputsOfColumn(spec, is_circle(c)));
    net.needs.back().insert(net.needs.back().end(), outputs, units(rank[c]));
  }
}

// A circle has no scale.
std::vector<bool> StillColumns(const flows::FlowSpec& spec) {
  std::vector<bool> still;
  for (const flows::Column& column : flows::ColumnsOf(spec)) {
    still.push_back(column.support == flows::Support::kPeriodic);
  }
  return still;
}

void PlaceMixing(const flows::FlowSpec& spec, int64_t layer, Starts& starts, LayerPlace& place) {
  const std::vector<size_t>& act_norm = starts.Of(Part::kActNorm, layer);
  if (!act_norm.empty()) place.act_norm = {act_norm[0], act_norm[1], StillColumns(spec)};
  const std::vector<size_t>& lu = starts.Of(Part::kLu, layer);
  if (!lu.empty()) place.lu = lu[0];
  for (int64_t column : flows::Permutation(spec, layer)) {
    place.permutation.push_back(static_cast<size_t>(column));
  }
}

LayerPlace PlaceLayer(const flows::FlowSpec& spec, int64_t layer, Starts& starts) {
  const flows::ColumnRange seen = flows::ConditioningRange(spec, layer);
  const flows::ColumnRange moved = flows::TransformedRange(spec, layer);
  LayerPlace place = {.layer = static_cast<size_t>(layer),
                      .seen = static_cast<size_t>(seen.begin),
                      .seen_columns = static_cast<size_t>(seen.size()),
                      .moved = static_cast<size_t>(moved.begin),
                      .moved_columns = static_cast<size_t>(moved.size()),
                      .net = {},
                      .order = {},
                      .act_norm = {},
                      .lu = {},
                      .permutation = {}};
  const bool seeds = spec.architecture == flows::Architecture::kRealNvp;
  place.net = PlaceNets(flows::ConditionerShapes(spec, layer), seeds ? 2 : 1,
                        starts.Of(Part::kConditioner, layer)[0]);
  if (seeds) {
    LeaveOutMasked(place, static_cast<size_t>(spec.dim), static_cast<size_t>(spec.context_dim),
                   place.net);
  }
  place.net.features = static_cast<size_t>(flows::FeaturesOf(spec, seen));
  if (flows::IsAutoregressive(spec.architecture)) PlaceMasks(spec, layer, place);
  PlaceMixing(spec, layer, starts, place);
  return place;
}

BasePlace PlaceBase(const flows::FlowSpec& spec, Starts& starts) {
  const std::vector<size_t>& base = starts.Of(Part::kBase, -1);
  if (spec.base == flows::Base::kDiagonal) return {.loc = base[0], .log_scale = base[1]};
  if (spec.base != flows::Base::kMixture) return {};
  return {.components = static_cast<size_t>(spec.components),
          .logits = base[0],
          .loc = base[1],
          .log_scale = base[2]};
}

}  // namespace

size_t NetPlace::MultiplyAdds() const {
  size_t count = 0;
  for (const std::vector<size_t>& of_map : needs) {
    for (size_t inputs_met : of_map) count += inputs_met;
  }
  for (size_t k = 0; needs.empty() && k < maps.size(); ++k) {
    count += nets() * maps[k][0].in * maps[k][0].out;
  }
  return count;
}

size_t Layout::MultiplyAdds() const {
  size_t count = 0;
  for (const LayerPlace& layer : layers) {
    count += layer.net.MultiplyAdds();
    if (layer.lu) count += dim * dim;
  }
  return count;
}

Layout LayoutOf(const flows::FlowSpec& spec) {
  Layout layout = {.dim = static_cast<size_t>(spec.dim),
                   .context = static_cast<size_t>(spec.context_dim),
                   .parameters = static_cast<size_t>(flows::ParameterCount(spec)),
                   .base = {},
                   .scaling = {},
                   .layers = {}};
  Starts starts(spec);
  layout.base = PlaceBase(spec, starts);
  const std::vector<size_t>& scaling = starts.Of(Part::kScaling, -1);
  if (!scaling.empty()) layout.scaling = {.shift = {}, .log_scale = scaling[0], .still = {}};
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    // Odd layers of real-nvp in one dimension have nothing to transform.
    if (flows::TransformedRange(spec, layer).size() == 0) continue;
    layout.layers.push_back(PlaceLayer(spec, layer, starts));
  }
  return layout;
}

}  // namespace sluiced::engine
