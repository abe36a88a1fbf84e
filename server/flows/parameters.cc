#include "server/flows/parameters.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/philox.h"

namespace sluiced::flows {
namespace {

constexpr const char* kNets[] = {"sequential_scale_nn", "sequential_shift_nn"};

template <typename T>
void FillUniform(PhiloxReader reader, double bound, std::span<T> out) {
  for (T& number : out) number = static_cast<T>((2 * reader.Uniform() - 1) * bound);
}

}  // namespace

std::vector<LinearShape> ConditionerShapes(const FlowSpec& spec) {
  std::vector<LinearShape> shapes;
  for (int64_t k = 0; k <= spec.depth; ++k) {
    shapes.push_back(
        {.in = k == 0 ? spec.dim : spec.hidden, .out = k == spec.depth ? spec.dim : spec.hidden});
  }
  return shapes;
}

std::vector<ParameterSlice> ParameterLayout(const FlowSpec& spec) {
  const std::vector<LinearShape> shapes = ConditionerShapes(spec);
  std::vector<ParameterSlice> layout;
  int64_t offset = 0;
  auto add = [&](std::string name, std::vector<int64_t> shape, int64_t size) {
    layout.push_back({std::move(name), std::move(shape), offset, size});
    offset += size;
  };
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    for (const char* net : kNets) {
      for (size_t k = 0; k < shapes.size(); ++k) {
        const auto [in, out] = shapes[k];
        // The activations between them take the odd places of the seed's Sequential.
        const std::string name = absl::StrCat("layers.", layer, ".", net, ".", 2 * k);
        add(absl::StrCat(name, ".weight"), {out, in}, out * in);
        add(absl::StrCat(name, ".bias"), {out}, out);
      }
    }
  }
  return layout;
}

int64_t ParameterCount(const FlowSpec& spec) {
  int64_t net = 0;
  for (const LinearShape& shape : ConditionerShapes(spec)) net += (shape.in + 1) * shape.out;
  return spec.layers * 2 * net;
}

Array InitialParameters(const FlowSpec& spec, uint64_t seed) {
  Array parameters(spec.dtype, {ParameterCount(spec)});
  const std::vector<ParameterSlice> layout = ParameterLayout(spec);
  const std::vector<LinearShape> shapes = ConditionerShapes(spec);
  for (size_t i = 0; i < layout.size(); ++i) {
    const size_t k = i / 2 % shapes.size();  // Weight and bias alternate.
    const bool last = k + 1 == shapes.size();
    if (last && spec.initialization == Initialization::kIdentity) continue;
    const double bound = 1 / std::sqrt(static_cast<double>(shapes[k].in));
    const PhiloxReader reader(seed, Stream::kInitial, static_cast<uint32_t>(i));
    const auto offset = static_cast<size_t>(layout[i].offset);
    const auto size = static_cast<size_t>(layout[i].size);
    if (spec.dtype == DType::kFloat32) {
      FillUniform(reader, bound, parameters.as<float>().subspan(offset, size));
    } else {
      FillUniform(reader, bound, parameters.as<double>().subspan(offset, size));
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
