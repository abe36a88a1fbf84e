#include <algorithm>
#include <cmath>
#include <limits>

#include "server/common/philox.h"
#include "server/flows/parameters.h"
#include "tests/engine/engine_support.h"
#include "tests/flows/law_cases.h"

namespace sluiced::engine {
namespace {

using flows::Architecture;
using flows::FlowSpec;
using flows::Support;

void AddSeeds(std::vector<Case>& table) {
  const int64_t layers[] = {1, 2, 7, 8};
  size_t turn = 0;
  for (int64_t dim : {1, 2, 3, 5, 16, 64}) {
    for (int64_t hidden : {1, 7, 32, 64, 257}) {
      for (int64_t depth : {1, 2, 3}) {
        for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
          // Five a period, so that every dim and width meets every combination.
          table.push_back(CaseOf(Architecture::kRealNvp,
                                 {dim, layers[turn % 4], hidden, depth, dtype}, turn % 5 != 0,
                                 turn % 3 != 0));
          turn += 3;
        }
        ++turn;
      }
    }
  }
}

void AddOthers(std::vector<Case>& table) {
  size_t turn = 0;
  for (Architecture architecture : flows::AllArchitectures()) {
    if (architecture == Architecture::kRealNvp) continue;
    for (int64_t dim : {2, 5, 16, 64}) {
      for (int64_t hidden : {32, 64, 257}) {
        // LibTorch takes minutes to find the columns of these one by one.
        if (IsAutoregressive(architecture) && dim * hidden > 16 * 257) continue;
        for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
          const auto depth = static_cast<int64_t>(1 + turn % 3);
          Case one = CaseOf(architecture, {dim, 3, hidden, depth, dtype}, true, turn % 5 != 0);
          if (turn % 4 == 1) one.spec.context_dim = 3;
          if (turn % 4 == 2) one.spec.mixing = flows::Mixing::kPermute;
          if (turn % 4 == 3) one.spec.mixing = flows::Mixing::kLu;
          one.spec.act_norm = turn % 7 < 2;
          table.push_back(one);
          ++turn;
        }
        ++turn;
      }
    }
  }
}

}  // namespace

Case CaseOf(Architecture architecture, const Shape& shape, bool bounded, bool standardized) {
  Case one;
  FlowSpec& spec = one.spec;
  spec.architecture = architecture;
  spec.dim = shape.dim;
  spec.layers = shape.layers;
  spec.hidden = shape.hidden;
  spec.depth = shape.depth;
  spec.dtype = shape.dtype;
  spec.scale_bound = bounded ? 2.0 : 0.0;
  spec.initialization = flows::Initialization::kUniform;
  for (int64_t column = 0; standardized && column < spec.dim; ++column) {
    one.map.shift.push_back(0.1 * static_cast<double>(column % 7) - 0.5);
    one.map.scale.push_back(0.5 + 0.25 * static_cast<double>(column % 5));
  }
  one.name = std::string(NameOf(architecture));
  std::replace(one.name.begin(), one.name.end(), '-', '_');
  one.name += "_dim" + std::to_string(spec.dim) + "_layers" + std::to_string(spec.layers) +
              "_hidden" + std::to_string(spec.hidden) + "_depth" + std::to_string(spec.depth) +
              (spec.dtype == DType::kFloat32 ? "_f32" : "_f64") + (bounded ? "_bounded" : "_raw") +
              (standardized ? "_standardized" : "");
  return one;
}

std::vector<Case> Table() {
  std::vector<Case> table;
  AddSeeds(table);
  AddOthers(table);
  for (const flows::LawCase& law : flows::LawCases()) {
    // One of its dims in float32, the others in float64: the table is long.
    if ((law.spec.dim == 3) != (law.spec.dtype == DType::kFloat32)) continue;
    table.push_back({law.name, law.spec, law.standardization});
  }
  std::erase_if(table, [](const Case& one) { return !flows::IsInEngine(one.spec); });
  return table;
}

Array ParametersOf(const FlowSpec& spec) {
  Array parameters = flows::InitialParameters(spec, kSeed).To(DType::kFloat64);
  PhiloxReader random(kSeed, Stream::kEvaluate);
  const double step = 0.4 / (1 + static_cast<double>(spec.dim));
  for (const flows::ParameterSlice& slice : flows::ParameterLayout(spec)) {
    if (slice.part == flows::Part::kConditioner) continue;
    for (double& number : parameters.as<double>().subspan(static_cast<size_t>(slice.offset),
                                                          static_cast<size_t>(slice.size))) {
      number += step * random.Normal();
    }
  }
  return parameters.To(spec.dtype);
}

Array Points(int64_t n, const FlowSpec& spec) {
  Array rows = Normals(n, flows::RowColumns(spec), DType::kFloat64);
  const std::vector<flows::Column> columns = flows::ColumnsOf(spec);
  for (int64_t i = 0; i < rows.size(); ++i) {
    const int64_t place = i % flows::RowColumns(spec);
    if (place >= spec.dim) continue;
    const flows::Column& column = columns[static_cast<size_t>(place)];
    double& number = rows.as<double>()[static_cast<size_t>(i)];
    if (column.support == Support::kPositive) number = std::exp(number);
    if (column.support == Support::kInterval || column.support == Support::kPeriodic) {
      number = column.low + (column.high - column.low) / (1 + std::exp(-number));
    }
  }
  return rows.To(spec.dtype);
}

Array Normals(int64_t n, int64_t columns, DType dtype) {
  Array rows(DType::kFloat64, {n, columns});
  NormalRows(kSeed, Stream::kEvaluate, 0, 0, columns, rows.as<double>());
  return rows.To(dtype);
}

double LargestGap(const Array& actual, const Array& expected) {
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
