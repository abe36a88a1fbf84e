#include "server/rpc/evaluated_rows.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/common/array_parts.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/data/table.h"
#include "server/evaluation/flow_rows.h"
#include "server/rpc/decode_tensor.h"
#include "server/rpc/rows_origin.h"
#include "server/rpc/weight_column.h"
#include "server/training/column_checks.h"

namespace sluiced::rpc {
namespace {

void SayOrigin(const RowsOrigin& origin, bool held_out, v1::EvaluateResponse* out) {
  out->mutable_dataset()->set_origin(held_out ? v1::ROWS_ORIGIN_HELD_OUT : origin.of_all);
  if (held_out && origin.chose_the_epoch) {
    out->add_notes(
        "the rows held out also chose the epoch that was published: their fit is a "
        "little too good");
  } else if (!held_out && origin.of_all == v1::ROWS_ORIGIN_TRAINED_ON) {
    out->add_notes(!origin.held_out.empty()
                       ? "the version was trained on most of these rows; held_out "
                         "leaves those alone that it was not"
                       : "the version was trained on these rows");
  } else if (origin.of_all == v1::ROWS_ORIGIN_UNKNOWN) {
    out->add_notes(absl::StrCat("these may be rows that the version was trained on: ", origin.why));
  }
}

// Numbers of the rows to choose from.
absl::StatusOr<std::vector<int64_t>> Candidates(const EvaluateQuery& query, int64_t rows,
                                                const RowsOrigin& origin,
                                                v1::EvaluateResponse* out) {
  const bool held_out = query.held_out && origin.of_all != v1::ROWS_ORIGIN_OTHER_DATASET;
  if (held_out && origin.held_out.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "held_out: which rows the version was not trained on cannot be told: ", origin.why));
  }
  SayOrigin(origin, held_out, out);
  if (held_out) return origin.held_out;
  std::vector<int64_t> all(static_cast<size_t>(rows));
  std::iota(all.begin(), all.end(), int64_t{0});
  return all;
}

// Those of the candidates that are kept by their weights. Copies in proportion would not
// do: no error and no p-value takes rows for anything but independent.
absl::StatusOr<std::vector<int64_t>> ByWeight(const Array& table, int64_t column,
                                              const std::vector<int64_t>& candidates, uint64_t seed,
                                              v1::EvaluateResponse* out) {
  std::vector<double> weights;
  for (const int64_t row : candidates) {
    weights.push_back(table.At(row * table.cols() + column));
    if (weights.back() < 0) {
      return FieldError("weight_column", absl::StrCat("is ", weights.back(), " in row ", row,
                                                      ": weights are at least 0"));
    }
  }
  if (std::ranges::all_of(weights, [](double weight) { return weight == 0; })) {
    return FieldError("weight_column", "is 0 in all of these rows");
  }
  std::vector<int64_t> kept = evaluation::KeepByWeight(weights, seed);
  out->add_notes(absl::StrCat(kept.size(), " of ", candidates.size(),
                              " rows were kept, each in proportion to its weight"));
  for (int64_t& row : kept) row = candidates[static_cast<size_t>(row)];
  return kept;
}

// The rows that the query means, in the dataset's dtype or float64: its weights are
// followed and gone, its discrete columns as it wants them.
absl::StatusOr<Array> TakeChosen(const flows::FlowSpec& spec, const EvaluateQuery& query,
                                 int64_t weight_column, std::vector<int64_t> candidates,
                                 const Array& table, v1::EvaluateResponse* out) {
  if (weight_column >= 0) {
    ASSIGN_OR_RETURN(candidates, ByWeight(table, weight_column, candidates, query.seed, out));
  }
  std::vector<int64_t> chosen =
      evaluation::ChooseRows(static_cast<int64_t>(candidates.size()), query.rows, query.seed);
  for (int64_t& row : chosen) row = candidates[static_cast<size_t>(row)];
  if (weight_column < 0 && !query.dequantize) return TakeRows(table, chosen);
  const Array rows = weight_column >= 0 ? WithoutColumn(table, weight_column) : table;
  return TakeRows(query.dequantize ? training::DequantizeDiscrete(spec, rows, query.seed) : rows,
                  chosen);
}

// The whole dataset is read, and let go again once the rows are chosen.
absl::Status HoldDataset(Call& call, const EvaluateQuery& query,
                         const store::DatasetRecord& dataset) {
  const DType dtype = DTypeFromName(dataset.dtype).value_or(DType::kFloat64);
  const size_t of_each = SizeOf(dtype) * (query.weight_column.empty() ? 1 : 2) +
                         (query.dequantize ? sizeof(double) : 0);
  return call.HoldMore(static_cast<size_t>(dataset.rows * dataset.columns) * of_each);
}

}  // namespace

absl::StatusOr<Array> LoadEvaluatedRows(const Runtime& runtime, const models::Loaded& model,
                                        const EvaluateQuery& query, Call& call,
                                        v1::EvaluateResponse* out) {
  const flows::FlowSpec& spec = model.flow->state().spec;
  ASSIGN_OR_RETURN(const store::DatasetRecord dataset, runtime.store->GetDataset(query.dataset));
  ASSIGN_OR_RETURN(const int64_t weight_column,
                   DecodeWeightColumn("weight_column", query.weight_column, dataset));
  RETURN_IF_ERROR(CheckColumns("dataset", dataset, spec, weight_column));
  ASSIGN_OR_RETURN(const RowsOrigin origin,
                   FindRowsOrigin(runtime.store, model.name, query.dataset));
  ASSIGN_OR_RETURN(std::vector<int64_t> candidates, Candidates(query, dataset.rows, origin, out));
  RETURN_IF_ERROR(HoldDataset(call, query, dataset));
  ASSIGN_OR_RETURN(const std::shared_ptr<const Array> table,
                   data::LoadRows(runtime.store, query.dataset));
  if (table->rows() != dataset.rows || table->cols() != dataset.columns) {
    return absl::AbortedError(absl::StrCat("datasets/", query.dataset, " was replaced"));
  }
  ASSIGN_OR_RETURN(const Array chosen,
                   TakeChosen(spec, query, weight_column, std::move(candidates), *table, out));
  ASSIGN_OR_RETURN(Array rows, CheckRows(chosen,
                                         {.dim = flows::RowColumns(spec),
                                          .dtype = spec.dtype,
                                          .max_rows = runtime.limits.rows},
                                         "dataset", "dataset"));
  evaluation::WrapCircles(spec, &rows);
  return rows;
}

}  // namespace sluiced::rpc
