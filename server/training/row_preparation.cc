#include "server/training/row_preparation.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <unordered_set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/common/errors.h"
#include "server/common/philox.h"

namespace sluiced::training {
namespace {

// Columns that differ by less than this fraction of their size are constant, or
// multiples of each other, as far as a flow can tell.
constexpr double kRelativeTolerance = 1e-10;
constexpr size_t kMaxRowsLookedAt = 100'000;
constexpr int64_t kMaxColumnsLookedAt = 512;
constexpr double kFewestDistinct = 0.9;

void ShuffleInPlace(std::vector<int64_t>& order, PhiloxReader random) {
  for (size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<size_t>(random.Below(i))]);
  }
}

std::vector<int64_t> Iota(int64_t count) {
  std::vector<int64_t> numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), int64_t{0});
  return numbers;
}

struct Moments {
  std::vector<double> mean, deviation;
};

Moments ColumnMoments(const Array& data, const std::vector<int64_t>& rows) {
  const int64_t dim = data.cols();
  const auto columns = static_cast<size_t>(dim);
  const auto count = static_cast<double>(rows.size());
  Moments moments{std::vector<double>(columns), std::vector<double>(columns)};
  for (size_t column = 0; column < columns; ++column) {
    const auto at = [&](int64_t row) { return data.At(row * dim + static_cast<int64_t>(column)); };
    double sum = 0, squares = 0;
    for (int64_t row : rows) sum += at(row) / count;
    for (int64_t row : rows) squares += (at(row) - sum) * (at(row) - sum) / count;
    moments.mean[column] = sum;
    moments.deviation[column] = std::sqrt(squares);
  }
  return moments;
}

bool IsConstant(double mean, double deviation) {
  return !(deviation > kRelativeTolerance * std::abs(mean));
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

// [dim, dim], row-major, of columns that vary; rows and columns of the others are 0.
std::vector<double> Correlations(const Array& data, const std::vector<int64_t>& rows,
                                 const Moments& moments) {
  const size_t dim = moments.mean.size();
  std::vector<double> sums(dim * dim), row(dim);
  for (int64_t number : rows) {
    for (size_t i = 0; i < dim; ++i) {
      const double value = data.At(number * static_cast<int64_t>(dim) + static_cast<int64_t>(i));
      row[i] = IsConstant(moments.mean[i], moments.deviation[i])
                   ? 0
                   : (value - moments.mean[i]) / moments.deviation[i];
      for (size_t j = 0; j <= i; ++j) {
        sums[i * dim + j] += row[i] * row[j] / static_cast<double>(rows.size());
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

absl::StatusOr<Split> SplitRows(int64_t rows, double validation_fraction, uint64_t seed) {
  auto held_out = static_cast<int64_t>(static_cast<double>(rows) * validation_fraction);
  if (validation_fraction > 0) held_out = std::max<int64_t>(held_out, 1);
  if (rows - held_out < 2) {
    return absl::InvalidArgumentError(absl::StrCat("too few rows: ", rows, ", of which ", held_out,
                                                   " held out; a training needs two"));
  }
  std::vector<int64_t> order = Iota(rows);
  if (held_out > 0) ShuffleInPlace(order, PhiloxReader(seed, Stream::kSplit));
  Split split{{order.begin() + held_out, order.end()}, {order.begin(), order.begin() + held_out}};
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.validation.begin(), split.validation.end());
  return split;
}

std::vector<int64_t> ShuffledOrder(int64_t rows, uint64_t seed, int64_t epoch) {
  std::vector<int64_t> order = Iota(rows);
  ShuffleInPlace(order, PhiloxReader(seed, Stream::kShuffle, static_cast<uint32_t>(epoch)));
  return order;
}

absl::StatusOr<flows::Standardization> FitStandardization(const Array& data,
                                                          const std::vector<int64_t>& rows) {
  Moments moments = ColumnMoments(data, rows);
  for (size_t i = 0; i < moments.mean.size(); ++i) {
    if (!std::isfinite(moments.mean[i]) || !std::isfinite(moments.deviation[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat("column ", i, " is too large to be standardised"));
    }
    if (IsConstant(moments.mean[i], moments.deviation[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat("column ", i, " is constant (", moments.mean[i],
                       ") on the training rows: it has no density; remove it"));
    }
  }
  return flows::Standardization{std::move(moments.mean), std::move(moments.deviation)};
}

std::vector<std::string> DegeneracyWarnings(const Array& data, const std::vector<int64_t>& rows) {
  const std::vector<int64_t> seen(
      rows.begin(), rows.begin() + static_cast<long>(std::min(rows.size(), kMaxRowsLookedAt)));
  std::vector<std::string> warnings;
  const double distinct = DistinctFraction(data, seen);
  if (distinct < kFewestDistinct) {
    warnings.push_back(absl::StrFormat(
        "only %.0f%% of the rows are distinct: the likelihood may grow without bound",
        100 * distinct));
  }
  if (data.cols() > kMaxColumnsLookedAt) return warnings;
  const Moments moments = ColumnMoments(data, seen);
  for (size_t i = 0; i < moments.mean.size(); ++i) {
    if (IsConstant(moments.mean[i], moments.deviation[i])) {
      warnings.push_back(absl::StrCat("column ", i, " is constant: it has no density"));
    }
  }
  for (size_t i : DependentColumns(Correlations(data, seen, moments), moments.mean.size())) {
    warnings.push_back(absl::StrCat("column ", i, " follows linearly from the columns before it: ",
                                    "the likelihood grows without bound"));
  }
  return warnings;
}

}  // namespace sluiced::training
