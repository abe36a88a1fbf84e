#include "server/rpc/dataset_upload.h"

#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/common/errors.h"
#include "server/common/resource_id.h"
#include "server/common/status_macros.h"
#include "server/data/readers.h"
#include "server/data/table.h"
#include "server/rpc/decode_tensor.h"
#include "server/rpc/decode_text.h"
#include "server/rpc/encode_dataset.h"

namespace sluiced::rpc {
namespace {

class DatasetUpload final : public Sink<v1::UploadDatasetRequest, v1::Dataset> {
 public:
  explicit DatasetUpload(const Runtime& runtime) : store_(runtime.store), limits_(runtime.limits) {}

  absl::Status Take(v1::UploadDatasetRequest* part) override {
    if (!has_header_) return TakeHeader(*part);
    if (header_.format() == v1::FILE_FORMAT_ROWS) {
      if (!part->has_rows()) return FieldError("rows", "are missing in a part after the header");
      return TakeRows(part->rows());
    }
    if (!part->has_chunk()) return FieldError("chunk", "is missing in a part after the header");
    return Append(part->chunk());
  }

  absl::Status Store(Call& call, v1::Dataset* reply) override {
    ASSIGN_OR_RETURN(data::Table table, ReadTable());
    std::string().swap(bytes_);
    if (header_.column_names_size() > 0) {
      table.column_names = {header_.column_names().begin(), header_.column_names().end()};
    }
    const auto names = static_cast<int64_t>(table.column_names.size());
    if (names != 0 && names != table.rows.cols()) {
      return FieldError("header.column_names",
                        absl::StrCat(names, " names for ", table.rows.cols(), " columns"));
    }
    call.AddRows(table.rows.rows());
    ASSIGN_OR_RETURN(const store::DatasetRecord dataset,
                     data::SaveTable(store_, header_.dataset_id(), table, header_.source(),
                                     header_.description()));
    return EncodeDataset(dataset, reply);
  }

 private:
  absl::Status TakeHeader(const v1::UploadDatasetRequest& part) {
    if (!part.has_header()) return FieldError("header", "is missing: it is the first part");
    header_ = part.header();
    RETURN_IF_ERROR(CheckId("header.dataset_id", header_.dataset_id()));
    RETURN_IF_ERROR(CheckText("header.description", header_.description(), limits_.text_bytes));
    RETURN_IF_ERROR(CheckText("header.source", header_.source(), limits_.text_bytes));
    if (header_.format() < v1::FILE_FORMAT_NPY || header_.format() > v1::FILE_FORMAT_ROWS) {
      return FieldError("header.format", "must be NPY, CSV or ROWS");
    }
    // Said before a gigabyte is sent in vain; SaveTable has the last word.
    if (store_->GetDataset(header_.dataset_id()).ok()) {
      return AlreadyExists("dataset", absl::StrCat("datasets/", header_.dataset_id()));
    }
    has_header_ = true;
    return absl::OkStatus();
  }

  absl::Status TakeRows(const v1::Tensor& tensor) {
    ASSIGN_OR_RETURN(const Array rows, DecodeTensor("rows", tensor));
    if (rows.shape().size() != 2 || rows.shape()[1] < 1) {
      return FieldError("rows.shape", "is not [n, columns]");
    }
    if (columns_ == 0) {
      columns_ = rows.shape()[1];
      dtype_ = rows.dtype();
    }
    if (rows.shape()[1] != columns_ || rows.dtype() != dtype_) {
      return FieldError("rows", absl::StrCat("are no further rows of ", columns_, " columns of ",
                                             NameOf(dtype_)));
    }
    rows_ += rows.rows();
    return Append(
        absl::string_view(reinterpret_cast<const char*>(rows.bytes().data()), rows.bytes().size()));
  }

  absl::Status Append(absl::string_view bytes) {
    const auto limit = static_cast<size_t>(limits_.upload_bytes);
    if (bytes.size() > limit - bytes_.size()) {
      return Exhausted(absl::StrCat("the dataset exceeds ", limit, " bytes"), absl::ZeroDuration());
    }
    bytes_.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }

  absl::StatusOr<data::Table> ReadTable() const {
    if (!has_header_) return FieldError("header", "is missing: it is the first part");
    if (header_.format() == v1::FILE_FORMAT_NPY) return data::ReadNpy(bytes_);
    if (header_.format() == v1::FILE_FORMAT_CSV) return data::ReadCsv(bytes_);
    if (rows_ == 0) return FieldError("rows", "there are none");
    data::Table table;
    table.rows = Array(dtype_, {rows_, columns_});
    std::memcpy(table.rows.bytes().data(), bytes_.data(), bytes_.size());
    RETURN_IF_ERROR(data::CheckRows(table.rows));
    return table;
  }

  store::Store* const store_;
  const serving::Limits limits_;
  bool has_header_ = false;
  v1::UploadDatasetRequest::Header header_;
  std::string bytes_;  // The file, or the rows' numbers.
  int64_t columns_ = 0;
  int64_t rows_ = 0;
  DType dtype_ = DType::kFloat32;
};

}  // namespace

std::unique_ptr<Sink<v1::UploadDatasetRequest, v1::Dataset>> MakeDatasetUpload(
    const Runtime& runtime) {
  return std::make_unique<DatasetUpload>(runtime);
}

}  // namespace sluiced::rpc
