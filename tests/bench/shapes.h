// The flows that are measured, and their rows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/common/array.h"
#include "server/common/philox.h"
#include "server/flows/flow.h"
#include "server/flows/parameters.h"

namespace sluiced::bench {

inline constexpr uint64_t kSeed = 3;

struct Shape {
  int64_t dim, layers, hidden;
  DType dtype;
  flows::Architecture architecture = flows::Architecture::kRealNvp;
};

inline constexpr Shape kSeedsFlow = {2, 8, 32, DType::kFloat32};

// A calculation, ready to run again and again.
using Work = std::function<void()>;

inline std::string NameOf(const Shape& shape) {
  const std::string kind = shape.architecture == flows::Architecture::kRealNvp
                               ? ""
                               : absl::StrCat(NameOf(shape.architecture), "/");
  return absl::StrCat(kind, "d", shape.dim, "_l", shape.layers, "_h", shape.hidden,
                      shape.dtype == DType::kFloat32 ? "/f32" : "/f64");
}

// With the seed's initial weights, and every part that a user's flow has.
inline flows::FlowState StateOf(const Shape& shape) {
  flows::FlowSpec spec;
  spec.architecture = shape.architecture;
  spec.dim = shape.dim;
  spec.layers = shape.layers;
  spec.hidden = shape.hidden;
  spec.dtype = shape.dtype;
  spec.initialization = flows::Initialization::kUniform;
  flows::Standardization map;
  map.shift.assign(static_cast<size_t>(shape.dim), 0.1);
  map.scale.assign(static_cast<size_t>(shape.dim), 1.5);
  return {spec, flows::InitialParameters(spec, kSeed), map};
}

inline Array Points(int64_t rows, const Shape& shape) {
  Array x(DType::kFloat64, {rows, shape.dim});
  NormalRows<double>(kSeed, Stream::kEvaluate, 0, 0, shape.dim, x.as<double>());
  return x.To(shape.dtype);
}

}  // namespace sluiced::bench
