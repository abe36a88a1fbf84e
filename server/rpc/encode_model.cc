#include "server/rpc/encode_model.h"

#include "absl/strings/str_cat.h"
#include "server/common/status_macros.h"
#include "server/flows/parameters.h"
#include "server/models/model_codec.h"
#include "server/rpc/encode_tensor.h"
#include "server/rpc/names.h"
#include "server/rpc/spec_enums.h"

namespace sluiced::rpc {
void EncodeSpec(const flows::FlowSpec& spec, v1::FlowSpec* out) {
  out->set_architecture(std::string(flows::NameOf(spec.architecture)));
  out->set_dim(spec.dim);
  out->set_layers(spec.layers);
  out->set_hidden(spec.hidden);
  out->set_depth(spec.depth);
  out->set_dtype(EncodeDType(spec.dtype));
  out->set_scale_bound(spec.scale_bound);
  out->set_standardize(spec.standardize);
  out->set_initialization(EncodeEnum(kInitializations, spec.initialization));
  out->set_executor(EncodeEnum(kExecutors, spec.executor));
  out->set_context_dim(spec.context_dim);
  out->set_base(EncodeEnum(kBases, spec.base));
  out->set_components(spec.components);
  out->set_degrees_of_freedom(spec.degrees_of_freedom);
  for (const flows::Column& column : spec.columns) {
    v1::Column* added = out->add_columns();
    added->set_index(column.index);
    added->set_support(EncodeEnum(kSupports, column.support));
    added->set_low(column.low);
    added->set_high(column.high);
  }
  out->set_mixing(EncodeEnum(kMixings, spec.mixing));
  out->set_act_norm(spec.act_norm);
  out->set_bins(spec.bins);
  out->set_bound(spec.bound);
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
  out->set_executor(EncodeEnum(kExecutors, flows::ExecutorFor(spec)));
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
