#include "server/training/training_rows.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/common/array_parts.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/training/column_checks.h"

namespace sluiced::training {
namespace {

using Kind = DegenerateColumn::Kind;

absl::Status TakeWeights(int64_t column, TrainingRows* rows) {
  const std::string text = ColumnText(rows->names, column);
  for (int64_t row = 0; row < rows->data->rows(); ++row) {
    const double weight = rows->data->At(row * rows->data->cols() + column);
    if (weight < 0) {
      return FieldError("weight_column", absl::StrCat(text, " is ", weight, " in row ", row,
                                                      " (from 0): weights are at least 0"));
    }
    rows->weights.push_back(weight);
  }
  // They count beside each other alone; the sum of their squares must not overflow.
  const double greatest = *std::ranges::max_element(rows->weights);
  for (double& weight : rows->weights) weight /= greatest > 0 ? greatest : 1;
  rows->data = std::make_shared<const Array>(WithoutColumn(*rows->data, column));
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
       FindDegenerateColumns(spec, *rows->data, rows->split.train)) {
    const std::string what = absl::StrCat(ColumnText(rows->names, column.column), " ", column.what,
                                          ": the likelihood grows without bound");
    // No scale can be fitted to it, either.
    const bool hopeless = column.kind == Kind::kConstant && spec.standardize;
    if (config.degenerate != Degenerate::kAllow || hopeless) {
      const char* also = hopeless ? ", or allow it in a model that does not standardise" : "";
      return FieldError("dataset", absl::StrCat(what, "; ", Remedy(column.kind), also));
    }
    rows->notes.push_back(absl::StrCat("warning: ", what));
  }
  return absl::OkStatus();
}

void TakeNoise(const flows::FlowSpec& spec, const TrainConfig& config, TrainingRows* rows) {
  std::vector<int64_t> discrete;
  for (const DegenerateColumn& column :
       FindDegenerateColumns(spec, *rows->data, rows->split.train)) {
    if (column.kind != Kind::kDiscrete) continue;
    discrete.push_back(column.column);
    rows->notes.push_back(absl::StrCat(ColumnText(rows->names, column.column), " ", column.what,
                                       ": dequantised with uniform noise"));
  }
  if (discrete.empty()) return;
  rows->data = std::make_shared<const Array>(Dequantize(*rows->data, discrete, config.seed));
}

}  // namespace

absl::StatusOr<TrainingRows> PrepareRows(const flows::FlowSpec& spec, const TrainConfig& config,
                                         std::shared_ptr<const Array> rows, int64_t weight_column,
                                         std::vector<std::string> names) {
  TrainingRows prepared{
      .data = std::move(rows), .weights = {}, .names = std::move(names), .split = {}, .notes = {}};
  if (weight_column >= 0) RETURN_IF_ERROR(TakeWeights(weight_column, &prepared));
  ASSIGN_OR_RETURN(prepared.split,
                   SplitRows(prepared.data->rows(), config.validation_fraction, config.seed));
  RETURN_IF_ERROR(CheckWeights(&prepared));
  if (config.degenerate == Degenerate::kDequantize) TakeNoise(spec, config, &prepared);
  return prepared;
}

absl::Status CheckRows(const flows::FlowSpec& spec, const TrainConfig& config, TrainingRows* rows) {
  RETURN_IF_ERROR(CheckSupports(spec, *rows->data, rows->names));
  RETURN_IF_ERROR(CheckDegenerate(spec, config, rows));
  const std::string repeated = RepeatedRowsWarning(*rows->data, rows->split.train);
  if (!repeated.empty()) rows->notes.push_back(absl::StrCat("warning: ", repeated));
  return absl::OkStatus();
}

}  // namespace sluiced::training
