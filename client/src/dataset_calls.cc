#include <algorithm>
#include <istream>

#include "client/src/call.h"
#include "client/src/client_impl.h"
#include "client/src/decode.h"
#include "client/src/names.h"
#include "client/src/streams.h"
#include "client/src/tensor.h"

namespace sluice {
namespace {

using DatasetStub = v1::DatasetService::StubInterface;

v1::UploadDatasetRequest UploadHeader(const std::string& id, v1::FileFormat format,
                                      const std::string& source, const std::string& description) {
  v1::UploadDatasetRequest request;
  request.mutable_header()->set_dataset_id(id);
  request.mutable_header()->set_format(format);
  request.mutable_header()->set_source(source);
  request.mutable_header()->set_description(description);
  return request;
}

// Sends the file to its end; false when it could not be read.
bool SendFile(std::istream& file, Upload<v1::UploadDatasetRequest>* upload) {
  v1::UploadDatasetRequest part;
  bool more = true;
  while (more && file) {
    std::string* chunk = part.mutable_chunk();
    chunk->resize(kChunkBytes);
    file.read(chunk->data(), kChunkBytes);
    chunk->resize(static_cast<size_t>(file.gcount()));
    if (chunk->empty()) break;
    more = upload->Send(part);
  }
  return !file.bad();
}

}  // namespace

Result<Dataset> ClientImpl::UploadFile(const std::string& id, std::istream& file, FileFormat format,
                                       const std::string& source, const std::string& description) {
  if (!file) return InvalidField("file", "cannot be read");
  grpc::ClientContext context;
  v1::Dataset dataset;
  Upload<v1::UploadDatasetRequest> upload(&context, options_.timeout,
                                          stubs_.datasets->UploadDataset(&context, &dataset));
  const v1::FileFormat wire_format =
      format == FileFormat::kCsv ? v1::FILE_FORMAT_CSV : v1::FILE_FORMAT_NPY;
  if (upload.Send(UploadHeader(id, wire_format, source, description)) && !SendFile(file, &upload)) {
    upload.Abandon();
    return InvalidField("file", "cannot be read to its end");
  }
  const Status status = upload.Finish();
  if (!status.ok()) return status;
  return DecodeDataset(dataset);
}

Result<Dataset> ClientImpl::UploadRows(const std::string& id, const Matrix& rows,
                                       const std::string& source, const std::string& description) {
  if (Status status = CheckMatrix("rows", rows); !status.ok()) return status;
  grpc::ClientContext context;
  v1::Dataset dataset;
  Upload<v1::UploadDatasetRequest> upload(&context, options_.timeout,
                                          stubs_.datasets->UploadDataset(&context, &dataset));
  bool more = upload.Send(UploadHeader(id, v1::FILE_FORMAT_ROWS, source, description));
  v1::UploadDatasetRequest part;
  const int64_t step = RowsPerChunk(rows, kChunkBytes);
  for (int64_t first = 0; more && first < rows.rows; first += step) {
    EncodeRows(rows, first, std::min(step, rows.rows - first), part.mutable_rows());
    more = upload.Send(part);
  }
  const Status status = upload.Finish();
  if (!status.ok()) return status;
  return DecodeDataset(dataset);
}

Result<Dataset> ClientImpl::GenerateDataset(const std::string& id, const std::string& toy,
                                            int64_t rows, uint64_t seed,
                                            std::optional<double> noise,
                                            const std::string& description) {
  v1::GenerateDatasetRequest request;
  request.set_dataset_id(id);
  request.set_toy(toy);
  request.set_rows(rows);
  request.set_seed(seed);
  if (noise) request.set_noise(*noise);
  request.set_description(description);
  return Then(Call(*stubs_.datasets, &DatasetStub::GenerateDataset, request, options_.timeout),
              DecodeDataset);
}

Result<Dataset> ClientImpl::DrawTarget(const std::string& id, const std::string& target,
                                       int64_t rows, uint64_t seed,
                                       const std::string& description) {
  v1::GenerateDatasetRequest request;
  request.set_dataset_id(id);
  request.set_target(TargetName(target));
  request.set_rows(rows);
  request.set_seed(seed);
  request.set_description(description);
  return Then(Call(*stubs_.datasets, &DatasetStub::GenerateDataset, request, options_.timeout),
              DecodeDataset);
}

Result<Matrix> ClientImpl::DownloadDataset(const std::string& id) {
  v1::DownloadDatasetRequest request;
  request.set_name(DatasetName(id));
  grpc::ClientContext context;
  Matrix matrix;
  const Status status = ReadAll<v1::RowChunk>(
      &context, options_.timeout,
      [&] { return stubs_.datasets->DownloadDataset(&context, request); },
      [&](const v1::RowChunk& chunk) { return AppendRows(chunk.rows(), &matrix).status(); });
  if (!status.ok()) return status;
  return matrix;
}

Result<Dataset> ClientImpl::GetDataset(const std::string& id) {
  v1::GetDatasetRequest request;
  request.set_name(DatasetName(id));
  return Then(Call(*stubs_.datasets, &DatasetStub::GetDataset, request, options_.timeout),
              DecodeDataset);
}

Result<std::vector<Dataset>> ClientImpl::ListDatasets() {
  const auto fetch = [this](const v1::ListDatasetsRequest& request) {
    return Call(*stubs_.datasets, &DatasetStub::ListDatasets, request, options_.timeout);
  };
  return CollectPages(
      v1::ListDatasetsRequest(), fetch,
      [](const v1::ListDatasetsResponse& page) -> auto& { return page.datasets(); }, DecodeDataset);
}

Status ClientImpl::DeleteDataset(const std::string& id) {
  v1::DeleteDatasetRequest request;
  request.set_name(DatasetName(id));
  return Call(*stubs_.datasets, &DatasetStub::DeleteDataset, request, options_.timeout).status();
}

Result<std::vector<Toy>> ClientImpl::ListToys() {
  return Then(
      Call(*stubs_.datasets, &DatasetStub::ListToys, v1::ListToysRequest(), options_.timeout),
      [](const v1::ListToysResponse& reply) {
        std::vector<Toy> toys;
        for (const v1::Toy& toy : reply.toys()) toys.push_back(DecodeToy(toy));
        return toys;
      });
}

}  // namespace sluice
