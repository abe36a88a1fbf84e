#include "server/evaluation/flow_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include "server/common/check.h"
#include "server/common/philox.h"
#include "server/common/status_macros.h"

namespace sluiced::evaluation {
namespace {

constexpr int64_t kBlockRows = 1024;

// compute(first, count) for the blocks of `rows`.
template <typename Compute>
absl::Status ForBlocks(int64_t rows, const KeepGoing& keep_going, Compute compute) {
  for (int64_t first = 0; first < rows; first += kBlockRows) {
    RETURN_IF_ERROR(keep_going());
    RETURN_IF_ERROR(compute(first, std::min(kBlockRows, rows - first)));
  }
  return absl::OkStatus();
}

size_t RowBytes(const Array& array) {
  return static_cast<size_t>(array.shape().size() > 1 ? array.shape()[1] : 1) *
         SizeOf(array.dtype());
}

void Put(const Array& block, int64_t first, Array* whole) {
  std::memcpy(whole->bytes().data() + static_cast<size_t>(first) * RowBytes(*whole),
              block.bytes().data(), block.bytes().size());
}

template <typename T>
void WrapColumn(const flows::Column& column, std::span<T> numbers, size_t columns) {
  const double turn = column.high - column.low;
  for (size_t i = static_cast<size_t>(column.index); i < numbers.size(); i += columns) {
    const double turns = (static_cast<double>(numbers[i]) - column.low) / turn;
    numbers[i] = static_cast<T>(column.low + (turns - std::floor(turns)) * turn);
  }
}

}  // namespace

void WrapCircles(const flows::FlowSpec& spec, Array* rows) {
  const auto columns = static_cast<size_t>(flows::RowColumns(spec));
  for (const flows::Column& column : spec.columns) {
    if (column.support != flows::Support::kPeriodic) continue;
    if (rows->dtype() == DType::kFloat32) {
      WrapColumn(column, rows->as<float>(), columns);
    } else {
      WrapColumn(column, rows->as<double>(), columns);
    }
  }
}

absl::StatusOr<flows::Samples> DrawRows(const flows::Flow& flow, int64_t n, uint64_t seed,
                                        int64_t first_row, const Array& context,
                                        const KeepGoing& keep_going) {
  const flows::FlowSpec& spec = flow.state().spec;
  flows::Samples all{Array(spec.dtype, {n, spec.dim}), Array(spec.dtype, {n})};
  RETURN_IF_ERROR(ForBlocks(n, keep_going, [&](int64_t first, int64_t count) -> absl::Status {
    ASSIGN_OR_RETURN(const flows::Samples block,
                     flow.Sample(count, seed, first_row + first,
                                 spec.context_dim > 0 ? context.Rows(first, count) : Array()));
    Put(block.x, first, &all.x);
    Put(block.log_prob, first, &all.log_prob);
    return absl::OkStatus();
  }));
  return all;
}

absl::StatusOr<std::vector<double>> ScoreRows(const flows::Flow& flow, const Array& rows,
                                              const KeepGoing& keep_going) {
  std::vector<double> scores;
  RETURN_IF_ERROR(
      ForBlocks(rows.rows(), keep_going, [&](int64_t first, int64_t count) -> absl::Status {
        ASSIGN_OR_RETURN(const Array block, flow.LogProb(rows.Rows(first, count)));
        for (int64_t i = 0; i < count; ++i) scores.push_back(block.At(i));
        return absl::OkStatus();
      }));
  return scores;
}

absl::StatusOr<flows::Images> MapRows(const flows::Flow& flow, Space from, const Array& rows,
                                      const KeepGoing& keep_going) {
  const flows::FlowSpec& spec = flow.state().spec;
  flows::Images all;
  all.values = Array(spec.dtype, {rows.rows(), spec.dim});
  all.ladj = Array(spec.dtype, {rows.rows()});
  RETURN_IF_ERROR(
      ForBlocks(rows.rows(), keep_going, [&](int64_t first, int64_t count) -> absl::Status {
        const Array part = rows.Rows(first, count);
        ASSIGN_OR_RETURN(const flows::Images block,
                         from == Space::kData ? flow.ToBase(part, flows::KeepLayers::kNo)
                                              : flow.FromBase(part, flows::KeepLayers::kNo));
        Put(block.values, first, &all.values);
        Put(block.ladj, first, &all.ladj);
        return absl::OkStatus();
      }));
  return all;
}

absl::StatusOr<std::vector<double>> TargetDensity(const targets::Target& target, const Array& x,
                                                  const KeepGoing& keep_going) {
  std::vector<double> log_density(static_cast<size_t>(x.rows()));
  RETURN_IF_ERROR(ForBlocks(x.rows(), keep_going, [&](int64_t first, int64_t count) {
    const Array part = x.Rows(first, count).To(DType::kFloat64);
    target.Evaluate(
        part.as<double>(),
        std::span(log_density).subspan(static_cast<size_t>(first), static_cast<size_t>(count)), {});
    return absl::OkStatus();
  }));
  return log_density;
}

std::vector<double> ColumnOf(const Array& from, int64_t column) {
  std::vector<double> values(static_cast<size_t>(from.rows()));
  for (int64_t row = 0; row < from.rows(); ++row) {
    values[static_cast<size_t>(row)] = from.At(row * from.shape()[1] + column);
  }
  return values;
}

std::vector<double> ToDoubles(const Array& from) {
  std::vector<double> values(static_cast<size_t>(from.size()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = from.At(static_cast<int64_t>(i));
  return values;
}

std::vector<int64_t> FiniteRowsOf(const flows::Samples& samples) {
  std::vector<int64_t> rows;
  const int64_t dim = samples.x.cols();
  for (int64_t row = 0; row < samples.x.rows(); ++row) {
    bool finite = std::isfinite(samples.log_prob.At(row));
    for (int64_t i = 0; finite && i < dim; ++i) finite = std::isfinite(samples.x.At(row * dim + i));
    if (finite) rows.push_back(row);
  }
  return rows;
}

std::vector<int64_t> ChooseRows(int64_t count, int64_t wanted, uint64_t seed) {
  std::vector<int64_t> rows(static_cast<size_t>(count));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  if (wanted >= count) return rows;
  // The first steps of a Fisher-Yates shuffle.
  PhiloxReader random(seed, Stream::kEvaluate, kChosenRows);
  for (size_t i = 0; i < static_cast<size_t>(wanted); ++i) {
    std::swap(rows[i], rows[i + random.Below(rows.size() - i)]);
  }
  rows.resize(static_cast<size_t>(wanted));
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<int64_t> KeepByWeight(std::span<const double> weights, uint64_t seed) {
  const double greatest = *std::ranges::max_element(weights);
  PhiloxReader random(seed, Stream::kEvaluate, kKeptByWeight);
  std::vector<int64_t> kept;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (random.Uniform() < weights[i] / greatest) kept.push_back(static_cast<int64_t>(i));
  }
  return kept;
}

}  // namespace sluiced::evaluation
