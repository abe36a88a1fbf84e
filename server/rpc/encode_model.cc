#include "server/rpc/encode_model.h"

#include "absl/strings/str_cat.h"
#include "server/common/status_macros.h"
#include "server/flows/parameters.h"
#include "server/models/model_codec.h"
#include "server/rpc/encode_tensor.h"
#include "server/rpc/names.h"

namespace sluiced::rpc {
namespace {

v1::Executor EncodeExecutor(flows::Executor executor) {
  switch (executor) {
    case flows::Executor::kEngine:
      return v1::EXECUTOR_ENGINE;
    case flows::Executor::kTorch:
      return v1::EXECUTOR_TORCH;
    case flows::Executor::kAuto:
      break;
  }
  return v1::EXECUTOR_AUTO;
}

}  // namespace

void EncodeSpec(const flows::FlowSpec& spec, v1::FlowSpec* out) {
  out->set_architecture(std::string(flows::NameOf(spec.architecture)));
  out->set_dim(spec.dim);
  out->set_layers(spec.layers);
  out->set_hidden(spec.hidden);
  out->set_depth(spec.depth);
  out->set_dtype(EncodeDType(spec.dtype));
  out->set_scale_bound(spec.scale_bound);
  out->set_standardize(spec.standardize);
  out->set_initialization(spec.initialization == flows::Initialization::kUniform
                              ? v1::INITIALIZATION_UNIFORM
                              : v1::INITIALIZATION_IDENTITY);
  out->set_executor(EncodeExecutor(spec.executor));
}

absl::Status EncodeModel(const store::ModelRecord& model, v1::Model* out) {
  ASSIGN_OR_RETURN(const flows::FlowSpec spec, flows::SpecFromJson(model.spec_json));
  out->set_name(MakeName(kModels, model.id));
  EncodeSpec(spec, out->mutable_spec());
  out->set_description(model.description);
  out->mutable_labels()->insert(model.labels.begin(), model.labels.end());
  EncodeTime(model.create_time, out->mutable_create_time());
  out->set_latest_version(model.latest_version);
  out->mutable_aliases()->insert(model.aliases.begin(), model.aliases.end());
  (*out->mutable_aliases())["latest"] = model.latest_version;
  out->set_parameter_count(flows::ParameterCount(spec));
  out->set_executor(EncodeExecutor(flows::ExecutorFor(spec)));
  for (const std::string& warning : flows::Warnings(spec)) out->add_warnings(warning);
  return absl::OkStatus();
}

absl::Status EncodeVersion(const store::VersionRecord& version, const flows::FlowSpec& spec,
                           v1::Version* out) {
  out->set_name(absl::StrCat(MakeName(kModels, version.model), "/versions/", version.number));
  out->set_number(version.number);
  EncodeSpec(spec, out->mutable_spec());
  EncodeTime(version.create_time, out->mutable_create_time());
  out->mutable_metrics()->insert(version.metrics.begin(), version.metrics.end());
  if (!version.train_job.empty()) out->set_train_job(MakeName(kTrainJobs, version.train_job));
  out->set_source(version.source);
  out->set_dataset_hash(version.dataset_hash);
  out->set_seed(version.seed);
  if (version.standardization_json.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const flows::Standardization standardization,
                   models::DecodeStandardization(version.standardization_json));
  out->mutable_shift()->Add(standardization.shift.begin(), standardization.shift.end());
  out->mutable_scale()->Add(standardization.scale.begin(), standardization.scale.end());
  return absl::OkStatus();
}

}  // namespace sluiced::rpc
