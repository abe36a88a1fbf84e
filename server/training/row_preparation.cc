#include "server/training/row_preparation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/philox.h"
#include "server/flows/support.h"
#include "server/training/moments.h"

namespace sluiced::training {
namespace {

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

absl::StatusOr<flows::Standardization> FitStandardization(const flows::FlowSpec& spec,
                                                          const Array& data,
                                                          const std::vector<int64_t>& rows) {
  flows::Standardization map;
  const std::vector<flows::Column> columns = flows::ColumnsOf(spec);
  for (int64_t i = 0; i < flows::RowColumns(spec); ++i) {
    const bool is_context = i >= spec.dim;
    const flows::Column column = is_context ? flows::Column{} : columns[static_cast<size_t>(i)];
    Moments moments = MomentsOf(rows, [&](int64_t row) {
      return flows::ToReal(spec, column, data.At(row * data.cols() + i));
    });
    if (!std::isfinite(moments.mean) || !std::isfinite(moments.deviation)) {
      return FieldError("dataset", absl::StrCat("column ", i, " is too large to be standardised"));
    }
    const bool constant = IsConstant(moments);
    if (constant && !is_context) {
      return FieldError("dataset",
                        absl::StrCat("column ", i, " is constant (", moments.mean,
                                     ") on the training rows: it has no density; ", "remove it"));
    }
    // A context that never changes tells nothing, and harms nothing.
    if (constant) moments.deviation = 1;
    if (!is_context && !flows::IsStandardized(spec, column)) moments = {0, 1};
    (is_context ? map.context_shift : map.shift).push_back(moments.mean);
    (is_context ? map.context_scale : map.scale).push_back(moments.deviation);
  }
  return map;
}

std::vector<int64_t> WeightedOrder(const std::vector<double>& weights, uint64_t seed,
                                   int64_t epoch) {
  double sum = 0;
  for (double weight : weights) sum += weight;
  const auto count = static_cast<double>(weights.size());
  PhiloxReader random(seed, Stream::kWeights, static_cast<uint32_t>(epoch));
  const double start = random.Uniform();
  std::vector<int64_t> drawn;
  double reached = 0;
  for (size_t row = 0; row < weights.size(); ++row) {
    reached += weights[row] / sum * count;
    while (static_cast<double>(drawn.size()) + start < reached && drawn.size() < weights.size()) {
      drawn.push_back(static_cast<int64_t>(row));
    }
  }
  // Rounding may leave the last one out.
  while (drawn.size() < weights.size()) drawn.push_back(drawn.back());
  return drawn;
}

}  // namespace sluiced::training
