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

}  // namespace sluiced::rpc
