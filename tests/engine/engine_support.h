// A table of flows, and the numbers to try them on.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "server/common/philox.h"
#include "server/flows/flow.h"
#include "server/flows/parameters.h"

namespace sluiced::engine {

inline constexpr uint64_t kSeed = 7;

struct Case {
  int64_t dim, layers, hidden, depth;
  DType dtype;
  bool bounded, standardized;
};

// Every width with every depth and dim; what is independent of them takes turns.
inline std::vector<Case> Table() {
  std::vector<Case> table;
  const int64_t layers[] = {1, 2, 7, 8};
  size_t turn = 0;
  for (int64_t dim : {1, 2, 3, 5, 16, 64}) {
    for (int64_t hidden : {1, 7, 32, 64, 257}) {
      for (int64_t depth : {1, 2, 3}) {
        for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
          // Five a period, so that every dim and width meets every combination.
          table.push_back(
              {dim, layers[turn % 4], hidden, depth, dtype, turn % 5 != 0, turn % 3 != 0});
          turn += 3;
        }
        ++turn;
      }
    }
  }
  return table;
}

inline std::string NameOf(const Case& one) {
  return "dim" + std::to_string(one.dim) + "_layers" + std::to_string(one.layers) + "_hidden" +
         std::to_string(one.hidden) + "_depth" + std::to_string(one.depth) +
         (one.dtype == DType::kFloat32 ? "_f32" : "_f64") + (one.bounded ? "_bounded" : "_raw") +
         (one.standardized ? "_standardized" : "");
}

inline flows::FlowSpec SpecOf(const Case& one) {
  flows::FlowSpec spec;
  spec.dim = one.dim;
  spec.layers = one.layers;
  spec.hidden = one.hidden;
  spec.depth = one.depth;
  spec.dtype = one.dtype;
  spec.scale_bound = one.bounded ? 2.0 : 0.0;
  spec.initialization = flows::Initialization::kUniform;
  return spec;
}

inline flows::Standardization MapOf(const Case& one) {
  flows::Standardization map;
  for (int64_t column = 0; one.standardized && column < one.dim; ++column) {
    map.shift.push_back(0.1 * static_cast<double>(column % 7) - 0.5);
    map.scale.push_back(0.5 + 0.25 * static_cast<double>(column % 5));
  }
  return map;
}

inline Array Points(int64_t n, int64_t dim, DType dtype) {
  Array rows(DType::kFloat64, {n, dim});
  NormalRows(kSeed, Stream::kEvaluate, 0, 0, dim, rows.as<double>());
  return rows.To(dtype);
}

// The largest |a - b| / (1 + |b|), where not both overflow.
inline double LargestGap(const Array& actual, const Array& expected) {
  if (actual.shape() != expected.shape()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (int64_t i = 0; i < actual.size(); ++i) {
    const double a = actual.At(i), b = expected.At(i);
    if (!std::isfinite(a) && !std::isfinite(b)) continue;
    if (!std::isfinite(a) || !std::isfinite(b)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::abs(a - b) / (1 + std::abs(b)));
  }
  return largest;
}

}  // namespace sluiced::engine
