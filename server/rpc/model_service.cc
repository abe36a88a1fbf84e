#include "server/rpc/model_service.h"

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/resource_id.h"
#include "server/common/status_macros.h"
#include "server/models/names.h"
#include "server/rpc/call.h"
#include "server/rpc/decode_spec.h"
#include "server/rpc/decode_text.h"
#include "server/rpc/encode_model.h"
#include "server/rpc/file_source.h"
#include "server/rpc/model_import.h"
#include "server/rpc/names.h"
#include "server/rpc/paging.h"
#include "server/rpc/upload_reactor.h"
#include "server/rpc/write_reactor.h"
#include "sluice/v1/model.grpc.pb.h"

namespace sluiced::rpc {
namespace {

using google::protobuf::Empty;

absl::StatusOr<models::CreateModel> DecodeCreate(const v1::CreateModelRequest& in,
                                                 const serving::Limits& limits) {
  models::CreateModel request;
  RETURN_IF_ERROR(CheckId("model_id", in.model_id()));
  request.id = in.model_id();
  auto spec = DecodeSpec(in.spec());
  if (!spec.ok()) return PrefixField("spec", spec.status());
  request.spec = *std::move(spec);
  request.seed = in.seed();
  RETURN_IF_ERROR(CheckText("description", in.description(), limits.text_bytes));
  request.description = in.description();
  ASSIGN_OR_RETURN(request.labels, DecodeLabels("labels", in.labels(), limits.text_bytes));
  return request;
}

// Which fields an update changes.
struct Updated {
  bool description = false;
  bool labels = false;
};
// No mask means all fields that are set.
absl::StatusOr<Updated> DecodeMask(const v1::UpdateModelRequest& in) {
  Updated updated;
  if (in.update_mask().paths_size() == 0) {
    updated.description = !in.model().description().empty();
    updated.labels = !in.model().labels().empty();
  }
  for (const std::string& path : in.update_mask().paths()) {
    if (path != "description" && path != "labels" && path != "*") {
      return FieldError("update_mask", absl::StrCat("'", path.substr(0, 80),
                                                    "' cannot be updated; description and "
                                                    "labels can"));
    }
    updated.description |= path != "labels";
    updated.labels |= path != "description";
  }
  return updated;
}

class ModelService final : public v1::ModelService::WithRawCallbackMethod_ImportModel<
                               v1::ModelService::CallbackService> {
 public:
  explicit ModelService(const Runtime& runtime) : runtime_(runtime), models_(runtime.registry) {}

  grpc::ServerUnaryReactor* CreateModel(grpc::CallbackServerContext* context,
                                        const v1::CreateModelRequest* in, v1::Model* out) override {
    return IoCall(
        runtime_, Rpc("CreateModel"), *context, *in, [this, in, out](Call&) -> absl::Status {
          ASSIGN_OR_RETURN(const models::CreateModel request, DecodeCreate(*in, runtime_.limits));
          ASSIGN_OR_RETURN(const store::ModelRecord model, models_->CreateModel(request));
          return EncodeModel(model, out);
        });
  }

  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext* context,
                                     const v1::GetModelRequest* in, v1::Model* out) override {
    return IoCall(runtime_, Rpc("GetModel"), *context, *in, [this, in, out](Call&) -> absl::Status {
      ASSIGN_OR_RETURN(const std::string id, ParseName("name", kModels, in->name()));
      ASSIGN_OR_RETURN(const store::ModelRecord model, models_->GetModel(id));
      return EncodeModel(model, out);
    });
  }

  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context,
                                       const v1::ListModelsRequest* in,
                                       v1::ListModelsResponse* out) override {
    return IoCall(
        runtime_, Rpc("ListModels"), *context, *in, [this, in, out](Call&) -> absl::Status {
          ASSIGN_OR_RETURN(store::Page page, DecodePage(in->page_size(), in->page_token()));
          const int64_t limit = page.limit++;
          ASSIGN_OR_RETURN(std::vector<store::ModelRecord> models, models_->ListModels(page));
          if (DropSurplus(limit, &models)) out->set_next_page_token(models.back().id);
          for (const auto& model : models) RETURN_IF_ERROR(EncodeModel(model, out->add_models()));
          return absl::OkStatus();
        });
  }

  grpc::ServerUnaryReactor* UpdateModel(grpc::CallbackServerContext* context,
                                        const v1::UpdateModelRequest* in, v1::Model* out) override {
    return IoCall(runtime_, Rpc("UpdateModel"), *context, *in,
                  [this, in, out](Call&) -> absl::Status {
                    ASSIGN_OR_RETURN(const std::string id,
                                     ParseName("model.name", kModels, in->model().name()));
                    ASSIGN_OR_RETURN(const store::ModelRecord model, Update(id, *in));
                    return EncodeModel(model, out);
                  });
  }

  grpc::ServerUnaryReactor* DeleteModel(grpc::CallbackServerContext* context,
                                        const v1::DeleteModelRequest* in, Empty*) override {
    return IoCall(runtime_, Rpc("DeleteModel"), *context, *in, [this, in](Call&) -> absl::Status {
      ASSIGN_OR_RETURN(const std::string id, ParseName("name", kModels, in->name()));
      return models_->DeleteModel(id);
    });
  }

  grpc::ServerUnaryReactor* GetVersion(grpc::CallbackServerContext* context,
                                       const v1::GetVersionRequest* in, v1::Version* out) override {
    return IoCall(
        runtime_, Rpc("GetVersion"), *context, *in, [this, in, out](Call&) -> absl::Status {
          RETURN_IF_ERROR(models::ParseVersionName(in->name(), "name").status());
          ASSIGN_OR_RETURN(const store::VersionRecord version, models_->GetVersion(in->name()));
          ASSIGN_OR_RETURN(const flows::FlowSpec spec, SpecOf(version.model));
          return EncodeVersion(version, spec, out);
        });
  }

  grpc::ServerUnaryReactor* ListVersions(grpc::CallbackServerContext* context,
                                         const v1::ListVersionsRequest* in,
                                         v1::ListVersionsResponse* out) override {
    return IoCall(runtime_, Rpc("ListVersions"), *context, *in,
                  [this, in, out](Call&) { return ListAllVersions(*in, out); });
  }

  grpc::ServerUnaryReactor* DeleteVersion(grpc::CallbackServerContext* context,
                                          const v1::DeleteVersionRequest* in, Empty*) override {
    return IoCall(runtime_, Rpc("DeleteVersion"), *context, *in,
                  [this, in](Call&) -> absl::Status { return models_->DeleteVersion(in->name()); });
  }

  grpc::ServerUnaryReactor* SetAlias(grpc::CallbackServerContext* context,
                                     const v1::SetAliasRequest* in, v1::Model* out) override {
    return IoCall(runtime_, Rpc("SetAlias"), *context, *in, [this, in, out](Call&) -> absl::Status {
      ASSIGN_OR_RETURN(const std::string id, ParseName("model", kModels, in->model()));
      if (in->version() < 0) return FieldError("version", "must not be negative");
      ASSIGN_OR_RETURN(const store::ModelRecord model,
                       models_->SetAlias(id, in->alias(), in->version()));
      return EncodeModel(model, out);
    });
  }

  grpc::ServerUnaryReactor* DeleteAlias(grpc::CallbackServerContext* context,
                                        const v1::DeleteAliasRequest* in, v1::Model* out) override {
    return IoCall(
        runtime_, Rpc("DeleteAlias"), *context, *in, [this, in, out](Call&) -> absl::Status {
          ASSIGN_OR_RETURN(const std::string id, ParseName("model", kModels, in->model()));
          ASSIGN_OR_RETURN(const store::ModelRecord model, models_->DeleteAlias(id, in->alias()));
          return EncodeModel(model, out);
        });
  }

  grpc::ServerWriteReactor<v1::FileChunk>* ExportVersion(
      grpc::CallbackServerContext* context, const v1::ExportVersionRequest* in) override {
    return new WriteReactor<v1::FileChunk>(
        runtime_, runtime_.io, Rpc("ExportVersion"), *context, *in,
        [this, in](const std::function<void()>&)
            -> absl::StatusOr<std::unique_ptr<Source<v1::FileChunk>>> {
          ASSIGN_OR_RETURN(std::string file, models_->Export(in->name()));
          return StreamFile(std::move(file), runtime_.limits.chunk_bytes);
        });
  }

  grpc::ServerReadReactor<grpc::ByteBuffer>* ImportModel(grpc::CallbackServerContext* context,
                                                         grpc::ByteBuffer* out) override {
    return new UploadReactor<v1::ImportModelRequest, v1::Model>(
        runtime_, Rpc("ImportModel"), *context, MakeModelImport(runtime_), out);
  }

 private:
  absl::StatusOr<flows::FlowSpec> SpecOf(absl::string_view model) {
    ASSIGN_OR_RETURN(const store::ModelRecord record, models_->GetModel(model));
    return flows::SpecFromJson(record.spec_json);
  }

  absl::StatusOr<store::ModelRecord> Update(absl::string_view id,
                                            const v1::UpdateModelRequest& in) {
    ASSIGN_OR_RETURN(const Updated updated, DecodeMask(in));
    RETURN_IF_ERROR(
        CheckText("model.description", in.model().description(), runtime_.limits.text_bytes));
    ASSIGN_OR_RETURN(auto labels,
                     DecodeLabels("model.labels", in.model().labels(), runtime_.limits.text_bytes));
    std::lock_guard<std::mutex> lock(update_mu_);
    ASSIGN_OR_RETURN(store::ModelRecord model, models_->GetModel(id));
    if (updated.description) model.description = in.model().description();
    if (updated.labels) model.labels = std::move(labels);
    return models_->UpdateModel(model);
  }

  absl::Status ListAllVersions(const v1::ListVersionsRequest& in, v1::ListVersionsResponse* out) {
    ASSIGN_OR_RETURN(const std::string id, ParseName("parent", kModels, in.parent()));
    ASSIGN_OR_RETURN(const NumberedPage page, DecodeNumberedPage(in.page_size(), in.page_token()));
    ASSIGN_OR_RETURN(const flows::FlowSpec spec, SpecOf(id));
    ASSIGN_OR_RETURN(std::vector<store::VersionRecord> versions,
                     models_->ListVersions(id, page.after, page.limit + 1));
    if (DropSurplus(page.limit, &versions)) {
      out->set_next_page_token(absl::StrCat(versions.back().number));
    }
    for (const auto& version : versions) {
      RETURN_IF_ERROR(EncodeVersion(version, spec, out->add_versions()));
    }
    return absl::OkStatus();
  }

  const Runtime runtime_;
  models::Registry* const models_;
  std::mutex update_mu_;  // Held from the reading of what is updated to its writing.
};

}  // namespace

std::unique_ptr<grpc::Service> MakeModelService(const Runtime& runtime) {
  return std::make_unique<ModelService>(runtime);
}

}  // namespace sluiced::rpc
