#include "server/rpc/dataset_service.h"

#include <string>
#include <utility>
#include <vector>

#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/common/thread_priority.h"
#include "server/data/generators.h"
#include "server/data/table.h"
#include "server/rpc/call.h"
#include "server/rpc/dataset_generation.h"
#include "server/rpc/dataset_source.h"
#include "server/rpc/dataset_upload.h"
#include "server/rpc/encode_dataset.h"
#include "server/rpc/names.h"
#include "server/rpc/paging.h"
#include "server/rpc/upload_reactor.h"
#include "server/rpc/write_reactor.h"
#include "sluice/v1/dataset.grpc.pb.h"

namespace sluiced::rpc {
namespace {

using google::protobuf::Empty;

class DatasetService final : public v1::DatasetService::WithRawCallbackMethod_UploadDataset<
                                 v1::DatasetService::CallbackService> {
 public:
  explicit DatasetService(const Runtime& runtime) : runtime_(runtime), store_(runtime.store) {}

  grpc::ServerReadReactor<grpc::ByteBuffer>* UploadDataset(grpc::CallbackServerContext* context,
                                                           grpc::ByteBuffer* out) override {
    return new UploadReactor<v1::UploadDatasetRequest, v1::Dataset>(
        runtime_, Rpc("UploadDataset"), *context, MakeDatasetUpload(runtime_), out);
  }

  grpc::ServerUnaryReactor* GenerateDataset(grpc::CallbackServerContext* context,
                                            const v1::GenerateDatasetRequest* in,
                                            v1::Dataset* out) override {
    const bool computes = !in->target().empty();
    return UnaryCall(
        runtime_, computes ? runtime_.generations : runtime_.io, Rpc("GenerateDataset"), *context,
        *in, [this, in, out, computes](Call& call) -> absl::Status {
          ASSIGN_OR_RETURN(const Generation wanted, DecodeGeneration(*in, runtime_.limits));
          if (computes) {
            SetNiceness(runtime_.evaluation_nice);
            RETURN_IF_ERROR(CheckFree(in->dataset_id()));
          }
          ASSIGN_OR_RETURN(const data::Table table, GenerateTable(wanted, call));
          ASSIGN_OR_RETURN(const store::DatasetRecord dataset,
                           data::SaveTable(store_, in->dataset_id(), table, Describe(wanted),
                                           in->description()));
          call.AddRows(dataset.rows);
          return EncodeDataset(dataset, out);
        });
  }

  grpc::ServerWriteReactor<v1::RowChunk>* DownloadDataset(
      grpc::CallbackServerContext* context, const v1::DownloadDatasetRequest* in) override {
    return new WriteReactor<v1::RowChunk>(
        runtime_, runtime_.io, Rpc("DownloadDataset"), *context, *in,
        [this, in](const std::function<void()>&) { return StreamDataset(store_, *in); });
  }

  grpc::ServerUnaryReactor* GetDataset(grpc::CallbackServerContext* context,
                                       const v1::GetDatasetRequest* in, v1::Dataset* out) override {
    return IoCall(
        runtime_, Rpc("GetDataset"), *context, *in, [this, in, out](Call&) -> absl::Status {
          ASSIGN_OR_RETURN(const std::string id, ParseName("name", kDatasets, in->name()));
          ASSIGN_OR_RETURN(const store::DatasetRecord dataset, store_->GetDataset(id));
          return EncodeDataset(dataset, out);
        });
  }

  grpc::ServerUnaryReactor* ListDatasets(grpc::CallbackServerContext* context,
                                         const v1::ListDatasetsRequest* in,
                                         v1::ListDatasetsResponse* out) override {
    return IoCall(
        runtime_, Rpc("ListDatasets"), *context, *in, [this, in, out](Call&) -> absl::Status {
          ASSIGN_OR_RETURN(store::Page page, DecodePage(in->page_size(), in->page_token()));
          const int64_t limit = page.limit++;
          ASSIGN_OR_RETURN(std::vector<store::DatasetRecord> datasets, store_->ListDatasets(page));
          if (DropSurplus(limit, &datasets)) out->set_next_page_token(datasets.back().id);
          for (const auto& dataset : datasets) {
            RETURN_IF_ERROR(EncodeDataset(dataset, out->add_datasets()));
          }
          return absl::OkStatus();
        });
  }

  grpc::ServerUnaryReactor* DeleteDataset(grpc::CallbackServerContext* context,
                                          const v1::DeleteDatasetRequest* in, Empty*) override {
    return IoCall(runtime_, Rpc("DeleteDataset"), *context, *in, [this, in](Call&) -> absl::Status {
      ASSIGN_OR_RETURN(const std::string id, ParseName("name", kDatasets, in->name()));
      return store_->DeleteDataset(id);
    });
  }

  grpc::ServerUnaryReactor* ListToys(grpc::CallbackServerContext* context,
                                     const v1::ListToysRequest* in,
                                     v1::ListToysResponse* out) override {
    return IoCall(runtime_, Rpc("ListToys"), *context, *in, [out](Call&) {
      for (const data::Toy& toy : data::AllToys()) {
        v1::Toy* added = out->add_toys();
        added->set_toy(std::string(toy.name));
        added->set_columns(toy.columns);
        added->set_description(std::string(toy.description));
      }
      return absl::OkStatus();
    });
  }

 private:
  // Told before a minute of work, not after it.
  absl::Status CheckFree(const std::string& id) const {
    if (!store_->GetDataset(id).ok()) return absl::OkStatus();
    return AlreadyExists("dataset", MakeName(kDatasets, id));
  }

  const Runtime runtime_;
  store::Store* const store_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeDatasetService(const Runtime& runtime) {
  return std::make_unique<DatasetService>(runtime);
}

}  // namespace sluiced::rpc
