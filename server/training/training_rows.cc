#include "server/training/training_rows.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/training/column_checks.h"

namespace sluiced::training {
namespace {

using Kind = DegenerateColumn::Kind;

// `rows` without one of its columns.
Array WithoutColumn(const Array& rows, int64_t column) {
  const size_t item = SizeOf(rows.dtype());
  const size_t before = static_cast<size_t>(column) * item;
  const size_t width = static_cast<size_t>(rows.cols()) * item;
  Array rest(rows.dtype(), {rows.rows(), rows.cols() - 1});
  const std::byte* from = rows.bytes().data();
  std::byte* to = rest.bytes().data();
  for (int64_t row = 0; row < rows.rows(); ++row) {
    std::memcpy(to, from, before);
    std::memcpy(to + before, from + before + item, width - before - item);
    from += width;
    to += width - item;
  }
  return rest;
}

absl::Status TakeWeights(int64_t column, TrainingRows* rows) {
  const std::string text = ColumnText(rows->names, column);
  for (int64_t row = 0; row < rows->data.rows(); ++row) {
    const double weight = rows->data.At(row * rows->data.cols() + column);
    if (weight < 0) {
      return FieldError("weight_column", absl::StrCat(text, " is ", weight, " in row ", row,
                                                      " (from 0): weights are at least 0"));
    }
    rows->weights.push_back(weight);
  }
  rows->data = WithoutColumn(rows->data, column);
  if (static_cast<size_t>(column) < rows->names.size()) {
    rows->names.erase(rows->names.begin() + column);
  }
  return absl::OkStatus();
}

double SumOver(const std::vector<double>& weights, const std::vector<int64_t>& rows) {
  double sum = 0;
  for (int64_t row : rows) sum += weights[static_cast<size_t>(row)];
  return sum;
}

// So that no mean is over nothing; and how many rows the weights leave.
absl::Status CheckWeights(TrainingRows* rows) {
  if (rows->weights.empty()) return absl::OkStatus();
  const double sum = SumOver(rows->weights, rows->split.train);
  const bool held_out =
      rows->split.validation.empty() || SumOver(rows->weights, rows->split.validation) > 0;
  if (!(sum > 0) || !held_out) {
    return FieldError(
        "weight_column",
        absl::StrCat("all weights of the ", sum > 0 ? "held-out" : "training", " rows are 0"));
  }
  double squares = 0;
  for (int64_t row : rows->split.train) {
    const double weight = rows->weights[static_cast<size_t>(row)];
    squares += weight * weight;
  }
  rows->notes.push_back(absl::StrFormat("weights: %d training rows count as %.0f (Kish)",
                                        rows->split.train.size(), sum * sum / squares));
  return absl::OkStatus();
}

std::string Remedy(Kind kind) {
  switch (kind) {
    case Kind::kDiscrete:
      return "dequantise it (degenerate: DEQUANTIZE), make it context, or drop it";
    case Kind::kConstant:
    case Kind::kDependent:
      break;
  }
  return "drop it";
}

absl::Status CheckDegenerate(const flows::FlowSpec& spec, const TrainConfig& config,
                             TrainingRows* rows) {
  for (const DegenerateColumn& column :
       FindDegenerateColumns(spec, rows->data, rows->split.train)) {
    const std::string what = absl::StrCat(ColumnText(rows->names, column.column), " ", column.what,
                                          ": the likelihood grows without bound");
    // No scale can be fitted to it, either.
    const bool hopeless = column.kind == Kind::kConstant && spec.standardize;
    if (config.degenerate != Degenerate::kAllow || hopeless) {
      return FieldError("dataset", absl::StrCat(what, "; ", Remedy(column.kind)));
    }
    rows->notes.push_back(absl::StrCat("warning: ", what));
  }
  return absl::OkStatus();
}

void DequantizeDiscrete(const flows::FlowSpec& spec, const TrainConfig& config,
                        TrainingRows* rows) {
  std::vector<int64_t> discrete;
  for (const DegenerateColumn& column :
       FindDegenerateColumns(spec, rows->data, rows->split.train)) {
    if (column.kind != Kind::kDiscrete) continue;
    discrete.push_back(column.column);
    rows->notes.push_back(absl::StrCat(ColumnText(rows->names, column.column), " ", column.what,
                                       ": dequantised with uniform noise"));
  }
  if (!discrete.empty()) rows->data = Dequantize(rows->data, discrete, config.seed);
}

}  // namespace

absl::StatusOr<TrainingRows> PrepareRows(const flows::FlowSpec& spec, const TrainConfig& config,
                                         const Array& rows, int64_t weight_column,
                                         const std::vector<std::string>& names) {
  TrainingRows prepared{.data = rows, .weights = {}, .names = names, .split = {}, .notes = {}};
  if (weight_column >= 0) RETURN_IF_ERROR(TakeWeights(weight_column, &prepared));
  ASSIGN_OR_RETURN(prepared.split, SplitRows(rows.rows(), config.validation_fraction, config.seed));
  RETURN_IF_ERROR(CheckWeights(&prepared));
  if (config.degenerate == Degenerate::kDequantize) DequantizeDiscrete(spec, config, &prepared);
  RETURN_IF_ERROR(CheckSupports(spec, prepared.data, prepared.names));
  RETURN_IF_ERROR(CheckDegenerate(spec, config, &prepared));
  const std::string repeated = RepeatedRowsWarning(prepared.data, prepared.split.train);
  if (!repeated.empty()) prepared.notes.push_back(absl::StrCat("warning: ", repeated));
  return prepared;
}

}  // namespace sluiced::training
