// A table of flows, and the numbers to try them on.
#pragma once

#include <string>
#include <vector>

#include "server/common/array.h"
#include "server/flows/flow.h"

namespace sluiced::engine {

inline constexpr uint64_t kSeed = 7;

struct Case {
  std::string name;
  flows::FlowSpec spec;
  flows::Standardization map;
};

struct Shape {
  int64_t dim, layers, hidden, depth;
  DType dtype;
};

// With the uniform initial parameters.
Case CaseOf(flows::Architecture architecture, const Shape& shape, bool bounded, bool standardized);

// RealNVP in every width with every depth and dim, the others in fewer, and the flows'
// own table of laws: all that the engine has. What is independent takes turns.
std::vector<Case> Table();

// Initial ones; those that would start as an identity moved.
Array ParametersOf(const flows::FlowSpec& spec);

// Rows with their context, [n, dim + context_dim].
Array Points(int64_t n, const flows::FlowSpec& spec);
// Standard normal rows [n, columns].
Array Normals(int64_t n, int64_t columns, DType dtype);

// The largest |a - b| / (1 + |b|), where not both overflow.
double LargestGap(const Array& actual, const Array& expected);

}  // namespace sluiced::engine
