#include "server/training/column_checks.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/common/errors.h"
#include "server/common/philox.h"
#include "server/flows/support.h"
#include "server/training/moments.h"

namespace sluiced::training {
namespace {

constexpr size_t kMaxRowsLookedAt = 100'000;
constexpr int64_t kMaxColumnsLookedAt = 512;
constexpr double kFewestDistinctRows = 0.9;
constexpr size_t kFewestRowsForRepeats = 100;

std::vector<int64_t> FirstOf(const std::vector<int64_t>& rows) {
  return {rows.begin(), rows.begin() + static_cast<long>(std::min(rows.size(), kMaxRowsLookedAt))};
}

double ValueAt(const Array& data, int64_t row, int64_t column) {
  return data.At(row * data.cols() + column);
}

// Ascending, each once.
std::vector<double> DistinctValues(const Array& data, const std::vector<int64_t>& rows,
                                   int64_t column) {
  std::vector<double> values;
  for (int64_t row : rows) values.push_back(ValueAt(data, row, column));
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

double DistinctFraction(const Array& data, const std::vector<int64_t>& rows) {
  const size_t row_bytes = data.bytes().size() / static_cast<size_t>(data.rows());
  std::unordered_set<std::string> distinct;
  for (int64_t row : rows) {
    const auto bytes = data.bytes().subspan(static_cast<size_t>(row) * row_bytes, row_bytes);
    distinct.emplace(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return static_cast<double>(distinct.size()) / static_cast<double>(rows.size());
}

// [columns, columns], row-major, of columns that vary, in the given order; rows and
// columns of the others are 0.
std::vector<double> Correlations(const Array& data, const std::vector<int64_t>& rows,
                                 const std::vector<int64_t>& columns) {
  const size_t size = columns.size();
  std::vector<Moments> moments;
  for (int64_t column : columns) {
    moments.push_back(MomentsOf(rows, [&](int64_t row) { return ValueAt(data, row, column); }));
  }
  std::vector<double> sums(size * size), scaled(size);
  for (int64_t row : rows) {
    for (size_t i = 0; i < size; ++i) {
      scaled[i] = IsConstant(moments[i])
                      ? 0
                      : (ValueAt(data, row, columns[i]) - moments[i].mean) / moments[i].deviation;
      for (size_t j = 0; j <= i; ++j) {
        sums[i * size + j] += scaled[i] * scaled[j] / static_cast<double>(rows.size());
      }
    }
  }
  return sums;
}

// Columns whose pivot vanishes in a Cholesky decomposition: they follow linearly
// from the columns before them.
std::vector<size_t> DependentColumns(std::vector<double> matrix, size_t dim) {
  std::vector<size_t> dependent;
  for (size_t i = 0; i < dim; ++i) {
    double pivot = matrix[i * dim + i];
    for (size_t j = 0; j < i; ++j) {
      double& entry = matrix[i * dim + j];
      for (size_t k = 0; k < j; ++k) entry -= matrix[i * dim + k] * matrix[j * dim + k];
      const double diagonal = matrix[j * dim + j];
      entry = diagonal > 0 ? entry / diagonal : 0;
      pivot -= entry * entry;
    }
    const bool vanishes = pivot < kRelativeTolerance;
    if (vanishes && matrix[i * dim + i] > 0) dependent.push_back(i);
    matrix[i * dim + i] = vanishes ? 0 : std::sqrt(pivot);
  }
  return dependent;
}

}  // namespace

std::string ColumnText(const std::vector<std::string>& names, int64_t column) {
  const auto index = static_cast<size_t>(column);
  if (index >= names.size()) return absl::StrCat("column ", column);
  return absl::StrCat("column ", column, " ('", names[index], "')");
}

absl::Status CheckSupports(const flows::FlowSpec& spec, const Array& data,
                           const std::vector<std::string>& names) {
  for (const flows::Column& column : spec.columns) {
    for (int64_t row = 0; row < data.rows(); ++row) {
      const double value = ValueAt(data, row, column.index);
      if (flows::IsInside(spec, column, value)) continue;
      return FieldError("dataset", absl::StrCat(ColumnText(names, column.index), " is ", value,
                                                " in row ", row, " (from 0), outside of its ",
                                                "support, ", flows::TextOf(column)));
    }
  }
  return absl::OkStatus();
}

std::vector<DegenerateColumn> FindDegenerateColumns(const flows::FlowSpec& spec, const Array& data,
                                                    const std::vector<int64_t>& rows) {
  using Kind = DegenerateColumn::Kind;
  const std::vector<int64_t> seen = FirstOf(rows);
  std::vector<DegenerateColumn> found;
  for (int64_t column = 0; column < spec.dim; ++column) {
    const size_t distinct = DistinctValues(data, seen, column).size();
    if (distinct == 1) {
      found.push_back({column, Kind::kConstant,
                       absl::StrCat("is constant (", ValueAt(data, seen[0], column), ")")});
    } else if (seen.size() >= kFewestRowsForRepeats && 2 * distinct < seen.size()) {
      found.push_back(
          {column, Kind::kDiscrete,
           absl::StrCat("takes ", distinct, " distinct values in ", seen.size(), " rows")});
    }
  }
  if (data.cols() > kMaxColumnsLookedAt) return found;
  std::vector<int64_t> order;
  for (int64_t i = spec.dim; i < data.cols(); ++i) order.push_back(i);
  for (int64_t i = 0; i < spec.dim; ++i) order.push_back(i);
  for (size_t i : DependentColumns(Correlations(data, seen, order), order.size())) {
    // Context may depend on what it will.
    if (order[i] >= spec.dim) continue;
    found.push_back({order[i], Kind::kDependent,
                     spec.context_dim > 0 ? "follows linearly from the context and the columns "
                                            "before it"
                                          : "follows linearly from the columns before it"});
  }
  return found;
}

std::string RepeatedRowsWarning(const Array& data, const std::vector<int64_t>& rows) {
  const double distinct = DistinctFraction(data, FirstOf(rows));
  if (distinct >= kFewestDistinctRows) return "";
  return absl::StrFormat(
      "only %.0f%% of the rows are distinct: the likelihood may grow without bound",
      100 * distinct);
}

Array Dequantize(const Array& data, const std::vector<int64_t>& columns, uint64_t seed) {
  // In float32 the noise could round back onto the values.
  Array noisy = data.To(DType::kFloat64);
  std::vector<int64_t> rows(static_cast<size_t>(data.rows()));
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int64_t>(i);
  for (int64_t column : columns) {
    const std::vector<double> values = DistinctValues(data, rows, column);
    double gap = values.back() - values.front();
    for (size_t i = 1; i < values.size(); ++i) gap = std::min(gap, values[i] - values[i - 1]);
    PhiloxReader random(seed, Stream::kDequantize, static_cast<uint32_t>(column));
    for (int64_t row : rows) {
      noisy.as<double>()[static_cast<size_t>(row * data.cols() + column)] +=
          (1 - random.Uniform()) * gap;
    }
  }
  return noisy;
}

Array DequantizeDiscrete(const flows::FlowSpec& spec, const Array& data, uint64_t seed) {
  std::vector<int64_t> all(static_cast<size_t>(data.rows())), discrete;
  std::iota(all.begin(), all.end(), int64_t{0});
  for (const DegenerateColumn& column : FindDegenerateColumns(spec, data, all)) {
    if (column.kind == DegenerateColumn::Kind::kDiscrete) discrete.push_back(column.column);
  }
  return discrete.empty() ? data : Dequantize(data, discrete, seed);
}

}  // namespace sluiced::training
