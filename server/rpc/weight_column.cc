#include "server/rpc/weight_column.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/data/table.h"

namespace sluiced::rpc {

absl::StatusOr<int64_t> DecodeWeightColumn(absl::string_view field, const std::string& text,
                                           const store::DatasetRecord& dataset) {
  if (text.empty()) return -1;
  ASSIGN_OR_RETURN(const data::DatasetInfo info, data::InfoFromJson(dataset.info_json));
  const auto named = std::find(info.column_names.begin(), info.column_names.end(), text);
  if (named != info.column_names.end()) return named - info.column_names.begin();
  int64_t index = 0;
  if (absl::SimpleAtoi(text, &index) && index >= 0 && index < dataset.columns) return index;
  return FieldError(field, absl::StrCat("'", absl::CHexEscape(text.substr(0, 80)),
                                        "' is no column of datasets/", dataset.id));
}

absl::Status CheckColumns(absl::string_view field, const store::DatasetRecord& dataset,
                          const flows::FlowSpec& spec, int64_t weight_column) {
  const int64_t columns = flows::RowColumns(spec) + (weight_column >= 0 ? 1 : 0);
  if (dataset.columns == columns) return absl::OkStatus();
  std::string wants =
      absl::StrCat("has ", dataset.columns, " columns; the model has ", spec.dim, " dimensions");
  if (spec.context_dim > 0) absl::StrAppend(&wants, " and ", spec.context_dim, " of context");
  if (weight_column >= 0) absl::StrAppend(&wants, ", and one column holds weights");
  return FieldError(field, wants);
}

}  // namespace sluiced::rpc
