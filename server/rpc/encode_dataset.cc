#include "server/rpc/encode_dataset.h"

#include "absl/strings/str_cat.h"
#include "server/common/array.h"
#include "server/common/status_macros.h"
#include "server/data/table.h"
#include "server/rpc/encode_tensor.h"
#include "server/rpc/names.h"

namespace sluiced::rpc {

absl::Status EncodeDataset(const store::DatasetRecord& dataset, v1::Dataset* out) {
  const auto dtype = DTypeFromName(dataset.dtype);
  if (!dtype) return absl::InternalError(absl::StrCat(dataset.id, " is of dtype ", dataset.dtype));
  ASSIGN_OR_RETURN(const data::DatasetInfo info, data::InfoFromJson(dataset.info_json));
  out->set_name(MakeName(kDatasets, dataset.id));
  out->set_rows(dataset.rows);
  out->set_columns(dataset.columns);
  out->set_dtype(EncodeDType(*dtype));
  for (const std::string& name : info.column_names) out->add_column_names(name);
  out->set_source(info.source);
  out->set_hash(info.hash);
  EncodeTime(dataset.create_time, out->mutable_create_time());
  out->set_description(info.description);
  out->mutable_mean()->Add(info.mean.begin(), info.mean.end());
  out->mutable_stddev()->Add(info.stddev.begin(), info.stddev.end());
  out->mutable_min()->Add(info.min.begin(), info.min.end());
  out->mutable_max()->Add(info.max.begin(), info.max.end());
  for (const std::string& note : info.notes) out->add_notes(note);
  return absl::OkStatus();
}

}  // namespace sluiced::rpc
