#include "server/rpc/dataset_source.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/array.h"
#include "server/common/status_macros.h"
#include "server/rpc/encode_tensor.h"
#include "server/rpc/names.h"

namespace sluiced::rpc {
namespace {

class DatasetSource final : public Source<v1::RowChunk> {
 public:
  DatasetSource(store::Store* store, store::DatasetRecord dataset, DType dtype)
      : store_(store), dataset_(std::move(dataset)), dtype_(dtype) {}

  absl::StatusOr<Next> Produce(Call& call, v1::RowChunk* out) override {
    if (sent_ == dataset_.rows) return Next::kEnd;
    auto chunk = store_->GetDatasetChunk(dataset_.id, index_++);
    if (absl::IsNotFound(chunk.status())) {
      return absl::AbortedError(absl::StrCat("datasets/", dataset_.id, " was deleted"));
    }
    RETURN_IF_ERROR(chunk.status());
    const int64_t row_bytes = dataset_.columns * static_cast<int64_t>(SizeOf(dtype_));
    const auto bytes = static_cast<int64_t>(chunk->size());
    const int64_t rows = bytes / row_bytes;
    if (rows == 0 || bytes % row_bytes != 0 || rows > dataset_.rows - sent_) {
      return absl::InternalError(absl::StrCat("datasets/", dataset_.id, " is stored wrongly"));
    }
    v1::Tensor* tensor = out->mutable_rows();
    tensor->add_shape(rows);
    tensor->add_shape(dataset_.columns);
    tensor->set_dtype(EncodeDType(dtype_));
    tensor->set_data(*std::move(chunk));
    sent_ += rows;
    call.AddRows(rows);
    return Next::kMessage;
  }

 private:
  store::Store* const store_;
  const store::DatasetRecord dataset_;
  const DType dtype_;
  int64_t index_ = 0;
  int64_t sent_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Source<v1::RowChunk>>> StreamDataset(
    store::Store* store, const v1::DownloadDatasetRequest& request) {
  ASSIGN_OR_RETURN(const std::string id, ParseName("name", kDatasets, request.name()));
  ASSIGN_OR_RETURN(store::DatasetRecord dataset, store->GetDataset(id));
  const auto dtype = DTypeFromName(dataset.dtype);
  if (!dtype || dataset.columns < 1) {
    return absl::InternalError(absl::StrCat("datasets/", id, " is stored wrongly"));
  }
  return std::make_unique<DatasetSource>(store, std::move(dataset), *dtype);
}

}  // namespace sluiced::rpc
