#include "server/rpc/evaluated_rows.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/common/array_parts.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/data/table.h"
#include "server/evaluation/flow_rows.h"
#include "server/rpc/decode_tensor.h"
#include "server/rpc/rows_origin.h"

namespace sluiced::rpc {
namespace {

absl::Status CheckColumns(const store::DatasetRecord& dataset, const flows::FlowSpec& spec) {
  const int64_t columns = flows::RowColumns(spec);
  if (dataset.columns == columns) return absl::OkStatus();
  const std::string context =
      spec.context_dim > 0 ? absl::StrCat(" and ", spec.context_dim, " of context") : "";
  return FieldError("dataset", absl::StrCat("has ", dataset.columns, " columns; the model has ",
                                            spec.dim, " dimensions", context));
}

// Numbers of the rows to evaluate on, and what is to be said of them.
absl::StatusOr<std::vector<int64_t>> ChooseRows(const EvaluateQuery& query, int64_t rows,
                                                const RowsOrigin& origin,
                                                v1::EvaluateResponse* out) {
  const bool held_out = query.held_out && origin.of_all != v1::ROWS_ORIGIN_OTHER_DATASET;
  if (held_out && origin.held_out.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "held_out: which rows the version was not trained on cannot be told: ", origin.why));
  }
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
  if (!held_out) return evaluation::ChooseRows(rows, query.rows, query.seed);
  std::vector<int64_t> chosen =
      evaluation::ChooseRows(static_cast<int64_t>(origin.held_out.size()), query.rows, query.seed);
  for (int64_t& row : chosen) row = origin.held_out[static_cast<size_t>(row)];
  return chosen;
}

// The whole dataset is read, and let go again once the rows are chosen.
absl::Status HoldDataset(Call& call, const store::DatasetRecord& dataset) {
  const DType dtype = DTypeFromName(dataset.dtype).value_or(DType::kFloat64);
  return call.HoldMore(static_cast<size_t>(dataset.rows * dataset.columns) * SizeOf(dtype));
}

}  // namespace

absl::StatusOr<Array> LoadEvaluatedRows(const Runtime& runtime, const models::Loaded& model,
                                        const EvaluateQuery& query, Call& call,
                                        v1::EvaluateResponse* out) {
  const flows::FlowSpec& spec = model.flow->state().spec;
  ASSIGN_OR_RETURN(const store::DatasetRecord dataset, runtime.store->GetDataset(query.dataset));
  RETURN_IF_ERROR(CheckColumns(dataset, spec));
  ASSIGN_OR_RETURN(const RowsOrigin origin,
                   FindRowsOrigin(runtime.store, model.name, query.dataset));
  ASSIGN_OR_RETURN(const std::vector<int64_t> chosen, ChooseRows(query, dataset.rows, origin, out));
  RETURN_IF_ERROR(HoldDataset(call, dataset));
  ASSIGN_OR_RETURN(const std::shared_ptr<const Array> all,
                   data::LoadRows(runtime.store, query.dataset));
  if (all->rows() != dataset.rows || all->cols() != dataset.columns) {
    return absl::AbortedError(absl::StrCat("datasets/", query.dataset, " was replaced"));
  }
  ASSIGN_OR_RETURN(Array rows, CheckRows(TakeRows(*all, chosen),
                                         {.dim = flows::RowColumns(spec),
                                          .dtype = spec.dtype,
                                          .max_rows = runtime.limits.rows},
                                         "dataset", "dataset"));
  evaluation::WrapCircles(spec, &rows);
  return rows;
}

}  // namespace sluiced::rpc
