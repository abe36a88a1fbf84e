#include "server/evaluation/numeric_jacobian.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "server/common/status_macros.h"
#include "server/evaluation/flow_rows.h"

namespace sluiced::evaluation {
namespace {

// How far values of a column lie apart: the middle half of them, as a normal's deviation.
double SpreadOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double spread = (values[values.size() * 3 / 4] - values[values.size() / 4]) / 1.349;
  return spread > 0 ? spread : 1;
}

// Steps that stay inside of the column's support.
double StepFrom(const flows::Column& column, double x, double spread, double step) {
  switch (column.support) {
    case flows::Support::kPositive:
      return step * std::min(spread, x);
    case flows::Support::kInterval:
      return step * std::min({spread, x - column.low, column.high - x});
    default:
      return step * spread;
  }
}

// log|det| by Gaussian elimination of [n, n].
double LogDet(std::vector<double> m, size_t n) {
  double log_det = 0;
  for (size_t i = 0; i < n; ++i) {
    size_t pivot = i;
    for (size_t row = i; row < n; ++row) {
      if (std::abs(m[row * n + i]) > std::abs(m[pivot * n + i])) pivot = row;
    }
    for (size_t j = 0; j < n && pivot != i; ++j) std::swap(m[i * n + j], m[pivot * n + j]);
    log_det += std::log(std::abs(m[i * n + i]));
    for (size_t row = i + 1; row < n; ++row) {
      const double factor = m[row * n + i] / m[i * n + i];
      for (size_t j = i; j < n; ++j) m[row * n + j] -= factor * m[i * n + j];
    }
  }
  return log_det;
}

}  // namespace

std::vector<double> Spreads(const Array& x) {
  std::vector<double> spreads;
  for (int64_t i = 0; i < x.shape()[1]; ++i) spreads.push_back(SpreadOf(ColumnOf(x, i)));
  return spreads;
}

absl::StatusOr<double> NumericLogDet(const flows::Flow& flow, const Array& row,
                                     const std::vector<double>& spreads, double step) {
  const flows::FlowSpec& spec = flow.state().spec;
  const std::vector<flows::Column> declared = flows::ColumnsOf(spec);
  const auto dim = static_cast<size_t>(spec.dim);
  const auto columns = static_cast<size_t>(row.shape()[1]);
  // Row 2 j is moved up in column j, row 2 j + 1 down.
  Array moved = TakeRows(row, std::vector<int64_t>(2 * dim, 0));
  const std::span<double> x = moved.as<double>();
  for (size_t j = 0; j < dim; ++j) {
    const double by = StepFrom(declared[j], row.At(static_cast<int64_t>(j)), spreads[j], step);
    x[2 * j * columns + j] += by;
    x[(2 * j + 1) * columns + j] -= by;
  }
  ASSIGN_OR_RETURN(const flows::Images z, flow.ToBase(moved, flows::KeepLayers::kNo));
  std::vector<double> jacobian(dim * dim);
  for (size_t i = 0; i < dim; ++i) {
    const bool circle = declared[i].support == flows::Support::kPeriodic;
    for (size_t j = 0; j < dim; ++j) {
      const auto at = static_cast<int64_t>(2 * j * dim + i);
      double change = z.values.At(at) - z.values.At(at + spec.dim);
      if (circle) change -= 2 * spec.bound * std::round(change / (2 * spec.bound));
      // Divided by what was added, after rounding.
      jacobian[i * dim + j] = change / (x[2 * j * columns + j] - x[(2 * j + 1) * columns + j]);
    }
  }
  return LogDet(std::move(jacobian), dim);
}

}  // namespace sluiced::evaluation
