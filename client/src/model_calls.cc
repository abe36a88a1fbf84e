#include <algorithm>

#include "client/src/call.h"
#include "client/src/client_impl.h"
#include "client/src/decode.h"
#include "client/src/encode.h"
#include "client/src/names.h"
#include "client/src/streams.h"

namespace sluice {

using ModelStub = v1::ModelService::StubInterface;

Result<Model> ClientImpl::CreateModel(const std::string& id, const FlowSpec& spec,
                                      const CreateModelOptions& options) {
  v1::CreateModelRequest request;
  request.set_model_id(id);
  EncodeSpec(spec, request.mutable_spec());
  request.set_seed(options.seed);
  request.set_description(options.description);
  request.mutable_labels()->insert(options.labels.begin(), options.labels.end());
  return Then(Call(*stubs_.models, &ModelStub::CreateModel, request, options_.timeout),
              DecodeModel);
}

Result<Model> ClientImpl::GetModel(const std::string& id) {
  v1::GetModelRequest request;
  request.set_name(ModelName(id));
  return Then(Call(*stubs_.models, &ModelStub::GetModel, request, options_.timeout), DecodeModel);
}

Result<std::vector<Model>> ClientImpl::ListModels() {
  const auto fetch = [this](const v1::ListModelsRequest& request) {
    return Call(*stubs_.models, &ModelStub::ListModels, request, options_.timeout);
  };
  return CollectPages(
      v1::ListModelsRequest(), fetch,
      [](const v1::ListModelsResponse& page) -> auto& { return page.models(); }, DecodeModel);
}

Result<Model> ClientImpl::UpdateModel(
    const std::string& id, const std::optional<std::string>& description,
    const std::optional<std::map<std::string, std::string>>& labels) {
  v1::UpdateModelRequest request;
  request.mutable_model()->set_name(ModelName(id));
  if (description) {
    request.mutable_model()->set_description(*description);
    request.mutable_update_mask()->add_paths("description");
  }
  if (labels) {
    request.mutable_model()->mutable_labels()->insert(labels->begin(), labels->end());
    request.mutable_update_mask()->add_paths("labels");
  }
  return Then(Call(*stubs_.models, &ModelStub::UpdateModel, request, options_.timeout),
              DecodeModel);
}

Status ClientImpl::DeleteModel(const std::string& id) {
  v1::DeleteModelRequest request;
  request.set_name(ModelName(id));
  return Call(*stubs_.models, &ModelStub::DeleteModel, request, options_.timeout).status();
}

Result<Version> ClientImpl::GetVersion(const std::string& model) {
  v1::GetVersionRequest request;
  request.set_name(VersionName(model, "latest"));
  return Then(Call(*stubs_.models, &ModelStub::GetVersion, request, options_.timeout),
              DecodeVersion);
}

Result<std::vector<Version>> ClientImpl::ListVersions(const std::string& id) {
  v1::ListVersionsRequest all;
  all.set_parent(ModelName(id));
  const auto fetch = [this](const v1::ListVersionsRequest& request) {
    return Call(*stubs_.models, &ModelStub::ListVersions, request, options_.timeout);
  };
  return CollectPages(
      all, fetch, [](const v1::ListVersionsResponse& page) -> auto& { return page.versions(); },
      DecodeVersion);
}

Status ClientImpl::DeleteVersion(const std::string& model) {
  if (!NamesVersion(model)) {
    return InvalidField("version", "\"" + model + "\" names no version to delete (MODEL@N does)");
  }
  v1::DeleteVersionRequest request;
  request.set_name(ServableName(model));
  return Call(*stubs_.models, &ModelStub::DeleteVersion, request, options_.timeout).status();
}

Result<Model> ClientImpl::SetAlias(const std::string& id, const std::string& alias,
                                   int64_t version) {
  v1::SetAliasRequest request;
  request.set_model(ModelName(id));
  request.set_alias(alias);
  request.set_version(version);
  return Then(Call(*stubs_.models, &ModelStub::SetAlias, request, options_.timeout), DecodeModel);
}

Result<Model> ClientImpl::DeleteAlias(const std::string& id, const std::string& alias) {
  v1::DeleteAliasRequest request;
  request.set_model(ModelName(id));
  request.set_alias(alias);
  return Then(Call(*stubs_.models, &ModelStub::DeleteAlias, request, options_.timeout),
              DecodeModel);
}

Result<std::string> ClientImpl::ExportModel(const std::string& model) {
  v1::ExportVersionRequest request;
  request.set_name(ServableName(model));
  grpc::ClientContext context;
  std::string file;
  const Status status = ReadAll<v1::FileChunk>(
      &context, options_.timeout, [&] { return stubs_.models->ExportVersion(&context, request); },
      [&](const v1::FileChunk& chunk) {
        file += chunk.data();
        return Status{};
      });
  if (!status.ok()) return status;
  return file;
}

Result<Model> ClientImpl::ImportModel(const std::string& id, const std::string& file,
                                      const std::string& description) {
  grpc::ClientContext context;
  v1::Model model;
  Upload<v1::ImportModelRequest> upload(&context, options_.timeout,
                                        stubs_.models->ImportModel(&context, &model));
  v1::ImportModelRequest part;
  part.mutable_header()->set_model_id(id);
  part.mutable_header()->set_description(description);
  bool more = upload.Send(part);
  for (size_t offset = 0; more && offset < file.size(); offset += kChunkBytes) {
    part.set_chunk(file.substr(offset, kChunkBytes));
    more = upload.Send(part);
  }
  const Status status = upload.Finish();
  if (!status.ok()) return status;
  return DecodeModel(model);
}

}  // namespace sluice
