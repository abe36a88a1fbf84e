#include "server/flows/parameters.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/philox.h"

namespace sluiced::flows {
namespace {

constexpr const char* kSeedNets[] = {"sequential_scale_nn", "sequential_shift_nn"};
// Permutations are the same for all models of a dim.
constexpr uint64_t kPermutationSeed = 0;

bool IsSeeds(const FlowSpec& spec) { return spec.architecture == Architecture::kRealNvp; }

int64_t PeriodicIn(const FlowSpec& spec, ColumnRange range) {
  return std::count_if(spec.columns.begin(), spec.columns.end(), [&](const Column& column) {
    return column.support == Support::kPeriodic && column.index >= range.begin &&
           column.index < range.end;
  });
}

// Calls visit(part, layer, net, map, rows, columns) for every slice, in order; columns
// are 0 where a slice has one axis. map: of a conditioner; net: of real-nvp.
template <typename Visit>
void VisitConditioner(const FlowSpec& spec, int64_t layer, Visit&& visit) {
  const std::vector<LinearShape> shapes = ConditionerShapes(spec, layer);
  for (int64_t net = 0; net < (IsSeeds(spec) ? 2 : 1); ++net) {
    for (size_t map = 0; map < shapes.size(); ++map) {
      visit(Part::kConditioner, layer, net, 2 * map, shapes[map].out, shapes[map].in, true);
      visit(Part::kConditioner, layer, net, 2 * map + 1, shapes[map].out, int64_t{0}, false);
    }
  }
}

template <typename Visit>
void VisitLayer(const FlowSpec& spec, int64_t layer, Visit&& visit) {
  if (spec.mixing == Mixing::kLu) {
    visit(Part::kLu, layer, int64_t{0}, size_t{0}, spec.dim, spec.dim, true);
  }
  for (size_t i = 0; spec.act_norm && i < 2; ++i) {
    visit(Part::kActNorm, layer, int64_t{0}, i, spec.dim, int64_t{0}, false);
  }
  VisitConditioner(spec, layer, visit);
}

// Those of the whole flow, behind all layers.
template <typename Visit>
void VisitRest(const FlowSpec& spec, Visit&& visit) {
  if (spec.architecture == Architecture::kNice) {
    visit(Part::kScaling, int64_t{-1}, int64_t{0}, size_t{0}, spec.dim, int64_t{0}, false);
  }
  if (spec.base == Base::kDiagonal) {
    for (size_t i = 1; i < 3; ++i) {
      visit(Part::kBase, int64_t{-1}, int64_t{0}, i, spec.dim, int64_t{0}, false);
    }
  }
  if (spec.base == Base::kMixture) {
    visit(Part::kBase, int64_t{-1}, int64_t{0}, size_t{0}, spec.components, int64_t{0}, false);
    for (size_t i = 1; i < 3; ++i) {
      visit(Part::kBase, int64_t{-1}, int64_t{0}, i, spec.components, spec.dim, true);
    }
  }
}

// A visitor that adds up the numbers of the slices. A double holds every count up to
// kMaxParameters exactly, and overflows for none.
auto CountInto(double* count) {
  return [count](Part, int64_t, int64_t, size_t, int64_t rows, int64_t columns, bool is_matrix) {
    *count += static_cast<double>(rows) * (is_matrix ? static_cast<double>(columns) : 1);
  };
}

// Numbers of the first `layers` layers: those of one parity are alike.
double CountOfLayers(const FlowSpec& spec, int64_t layers) {
  double count = 0;
  for (int64_t parity = 0; parity < 2; ++parity) {
    double layer = 0;
    VisitLayer(spec, parity, CountInto(&layer));
    count += layer * static_cast<double>((layers + 1 - parity) / 2);
  }
  return count;
}

std::string NameOfSlice(const FlowSpec& spec, Part part, int64_t layer, int64_t net, size_t index) {
  static constexpr const char* kActNorm[] = {"shift", "log_scale"};
  static constexpr const char* kBase[] = {"logits", "loc", "log_scale"};
  switch (part) {
    case Part::kActNorm:
      return absl::StrCat("layers.", layer, ".act_norm.", kActNorm[index]);
    case Part::kLu:
      return absl::StrCat("layers.", layer, ".lu.weight");
    case Part::kScaling:
      return "scaling.log_scale";
    case Part::kBase:
      return absl::StrCat("base.", kBase[index]);
    case Part::kConditioner:
      break;
  }
  const char* kind = index % 2 == 0 ? ".weight" : ".bias";
  const size_t map = index / 2;
  if (!IsSeeds(spec)) return absl::StrCat("layers.", layer, ".conditioner.", map, kind);
  // The activations between them take the odd places of the seed's Sequential.
  return absl::StrCat("layers.", layer, ".", kSeedNets[net], ".", 2 * map, kind);
}

// The slices of a layer, or of the whole flow (-1).
void AddSlices(const FlowSpec& spec, int64_t layer, std::vector<ParameterSlice>* out) {
  auto offset = static_cast<int64_t>(CountOfLayers(spec, layer < 0 ? spec.layers : layer));
  const auto add = [&](Part part, int64_t of, int64_t net, size_t index, int64_t rows,
                       int64_t columns, bool is_matrix) {
    std::vector<int64_t> shape = {rows};
    if (is_matrix) shape.push_back(columns);
    const int64_t size = is_matrix ? rows * columns : rows;
    out->push_back(
        {NameOfSlice(spec, part, of, net, index), std::move(shape), offset, size, part, of});
    offset += size;
  };
  if (layer < 0) return VisitRest(spec, add);
  VisitLayer(spec, layer, add);
}

template <typename T>
void FillUniform(PhiloxReader reader, double bound, std::span<T> out) {
  for (T& number : out) number = static_cast<T>((2 * reader.Uniform() - 1) * bound);
}

template <typename T>
void FillNormal(PhiloxReader reader, std::span<T> out) {
  for (T& number : out) number = static_cast<T>(reader.Normal());
}

// `out` is zero at first; bound: of a conditioner's numbers, 0: they stay zero.
template <typename T>
void Initialize(const FlowSpec& spec, const ParameterSlice& slice, PhiloxReader reader,
                double bound, std::span<T> out) {
  if (slice.part == Part::kConditioner) {
    if (bound > 0) FillUniform(reader, bound, out);
  } else if (slice.part == Part::kBase && spec.base == Base::kMixture && slice.name == "base.loc") {
    // Components that start alike would stay so.
    FillNormal(reader, out);
  }
}

}  // namespace

std::vector<LinearShape> ConditionerShapes(const FlowSpec& spec, int64_t layer) {
  const int64_t in = spec.context_dim +
                     (IsSeeds(spec) ? spec.dim : FeaturesOf(spec, ConditioningRange(spec, layer)));
  const int64_t out = IsSeeds(spec) ? spec.dim : OutputsOf(spec, TransformedRange(spec, layer));
  std::vector<LinearShape> shapes;
  for (int64_t k = 0; k <= spec.depth; ++k) {
    shapes.push_back({.in = k == 0 ? in : spec.hidden, .out = k == spec.depth ? out : spec.hidden});
  }
  return shapes;
}

ColumnRange ConditioningRange(const FlowSpec& spec, int64_t layer) {
  if (IsAutoregressive(spec.architecture)) return {0, spec.dim};
  const bool first = layer % 2 == 0 || (spec.dim == 1 && !IsSeeds(spec));
  return first ? ColumnRange{0, spec.dim / 2} : ColumnRange{spec.dim / 2, spec.dim};
}

ColumnRange TransformedRange(const FlowSpec& spec, int64_t layer) {
  if (IsAutoregressive(spec.architecture)) return {0, spec.dim};
  const ColumnRange seen = ConditioningRange(spec, layer);
  return seen.begin == 0 ? ColumnRange{seen.end, spec.dim} : ColumnRange{0, seen.begin};
}

int64_t FeaturesOf(const FlowSpec& spec, ColumnRange columns) {
  return columns.size() + PeriodicIn(spec, columns);
}

int64_t OutputsOfColumn(const FlowSpec& spec, bool periodic) {
  if (spec.architecture == Architecture::kNice) return 1;
  if (!IsSpline(spec.architecture)) return 2;
  return 3 * spec.bins - (periodic ? 0 : 1);
}

int64_t OutputsOf(const FlowSpec& spec, ColumnRange columns) {
  const int64_t periodic = PeriodicIn(spec, columns);
  return periodic * OutputsOfColumn(spec, true) +
         (columns.size() - periodic) * OutputsOfColumn(spec, false);
}

std::vector<int64_t> AutoregressiveOrder(const FlowSpec& spec, int64_t layer) {
  std::vector<int64_t> order(static_cast<size_t>(spec.dim));
  std::iota(order.begin(), order.end(), int64_t{0});
  if (layer % 2 == 1) std::reverse(order.begin(), order.end());
  return order;
}

std::vector<int64_t> HiddenDegrees(const FlowSpec& spec) {
  // Units that see no column would only repeat biases, unless there is a context.
  const int64_t least = spec.dim > 1 && spec.context_dim == 0 ? 1 : 0;
  const int64_t kinds = spec.dim - least;
  std::vector<int64_t> degrees(static_cast<size_t>(spec.hidden));
  for (int64_t unit = 0; unit < spec.hidden; ++unit) {
    degrees[static_cast<size_t>(unit)] = least + unit * kinds / spec.hidden;
  }
  return degrees;
}

std::vector<int64_t> Permutation(const FlowSpec& spec, int64_t layer) {
  if (spec.mixing != Mixing::kPermute || layer % 2 == 0) return {};
  std::vector<int64_t> order(static_cast<size_t>(spec.dim));
  std::iota(order.begin(), order.end(), int64_t{0});
  PhiloxReader random(kPermutationSeed, Stream::kPermutation, static_cast<uint32_t>(layer));
  for (size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<size_t>(random.Below(i))]);
  }
  return order;
}

std::vector<ParameterSlice> ParameterLayout(const FlowSpec& spec) {
  std::vector<ParameterSlice> layout;
  for (int64_t layer = 0; layer < spec.layers; ++layer) AddSlices(spec, layer, &layout);
  AddSlices(spec, -1, &layout);
  return layout;
}

std::vector<ParameterSlice> SlicesOf(const FlowSpec& spec, Part part, int64_t layer) {
  std::vector<ParameterSlice> slices;
  AddSlices(spec, layer, &slices);
  std::erase_if(slices, [part](const ParameterSlice& slice) { return slice.part != part; });
  return slices;
}

int64_t ParameterCount(const FlowSpec& spec) {
  return static_cast<int64_t>(ApproximateParameterCount(spec));
}

double ApproximateParameterCount(const FlowSpec& spec) {
  double rest = 0;
  VisitRest(spec, CountInto(&rest));
  return CountOfLayers(spec, spec.layers) + rest;
}

Array InitialParameters(const FlowSpec& spec, uint64_t seed) {
  Array parameters(spec.dtype, {ParameterCount(spec)});
  const std::vector<ParameterSlice> layout = ParameterLayout(spec);
  double bound = 0;  // Of the weight, and of the bias that follows it.
  int64_t map = 0, layer = -1;
  for (size_t i = 0; i < layout.size(); ++i) {
    const ParameterSlice& slice = layout[i];
    if (slice.part == Part::kConditioner && slice.shape.size() == 2) {
      map = slice.layer == layer ? (map + 1) % (spec.depth + 1) : 0;
      layer = slice.layer;
      const bool starts_zero =
          map == spec.depth && spec.initialization == Initialization::kIdentity;
      const auto fan_in = static_cast<double>(std::max<int64_t>(slice.shape[1], 1));
      bound = starts_zero ? 0 : 1 / std::sqrt(fan_in);
    }
    const PhiloxReader reader(seed, Stream::kInitial, static_cast<uint32_t>(i));
    const auto offset = static_cast<size_t>(slice.offset);
    const auto size = static_cast<size_t>(slice.size);
    if (spec.dtype == DType::kFloat32) {
      Initialize(spec, slice, reader, bound, parameters.as<float>().subspan(offset, size));
    } else {
      Initialize(spec, slice, reader, bound, parameters.as<double>().subspan(offset, size));
    }
  }
  return parameters;
}

std::vector<bool> ConditioningMask(const FlowSpec& spec, int64_t layer) {
  std::vector<bool> mask(static_cast<size_t>(spec.dim), layer % 2 == 1);
  std::fill_n(mask.begin(), spec.dim / 2, layer % 2 == 0);
  return mask;
}

}  // namespace sluiced::flows
