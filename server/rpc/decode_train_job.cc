#include "server/rpc/decode_train_job.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/resource_id.h"
#include "server/common/status_macros.h"
#include "server/flows/flow_spec.h"
#include "server/models/names.h"
#include "server/rpc/decode_train_config.h"
#include "server/rpc/names.h"
#include "server/rpc/train_payload.h"
#include "server/rpc/weight_column.h"
#include "server/targets/target.h"

namespace sluiced::rpc {
namespace {

constexpr size_t kMaxRequestId = 256;

absl::Status DecodeDataset(const v1::TrainJob& in, const flows::FlowSpec& spec, store::Store* store,
                           TrainPayload* payload) {
  ASSIGN_OR_RETURN(payload->dataset, ParseName("train_job.dataset", kDatasets, in.dataset()));
  ASSIGN_OR_RETURN(const store::DatasetRecord dataset, store->GetDataset(payload->dataset));
  ASSIGN_OR_RETURN(payload->weight_column,
                   DecodeWeightColumn("train_job.weight_column", in.weight_column(), dataset));
  return CheckColumns("train_job.dataset", dataset, spec, payload->weight_column);
}

absl::Status DecodeTarget(absl::string_view field, const std::string& name,
                          const flows::FlowSpec& spec, TrainPayload* payload) {
  ASSIGN_OR_RETURN(payload->target, ParseName(field, kTargets, name));
  ASSIGN_OR_RETURN(const targets::Target* target, targets::FindTarget(payload->target));
  if (spec.context_dim > 0) {
    return FieldError(field, "a target has no context, and the model is conditional");
  }
  if (target->dim() == spec.dim) return absl::OkStatus();
  return FieldError(field, absl::StrCat("has ", target->dim(), " dimensions; the model has ",
                                        spec.dim, " dimensions"));
}

// Sets the payload's dataset, target, or both.
absl::StatusOr<training::Objective> DecodeSource(const v1::TrainJob& in,
                                                 const flows::FlowSpec& spec, store::Store* store,
                                                 TrainPayload* payload) {
  if (in.has_dataset()) {
    RETURN_IF_ERROR(DecodeDataset(in, spec, store, payload));
    if (in.mixed_target().empty()) return training::Objective::kMaximumLikelihood;
    RETURN_IF_ERROR(DecodeTarget("train_job.mixed_target", in.mixed_target(), spec, payload));
    return training::Objective::kMixed;
  }
  if (!in.has_target()) {
    return FieldError("train_job.dataset", "a job needs a dataset or a target");
  }
  if (!in.mixed_target().empty()) {
    return FieldError("train_job.mixed_target", "goes with a dataset");
  }
  if (!in.weight_column().empty()) {
    return FieldError("train_job.weight_column", "goes with a dataset");
  }
  RETURN_IF_ERROR(DecodeTarget("train_job.target", in.target(), spec, payload));
  return training::Objective::kReverseKl;
}

// A version of the same flow: all but what says how it starts and what computes it.
absl::StatusOr<std::string> DecodeStartFrom(const v1::TrainJob& in, flows::FlowSpec spec,
                                            models::Registry* registry) {
  constexpr absl::string_view kField = "train_job.config.start_from";
  const std::string& name = in.config().start_from();
  if (name.empty()) return std::string();
  if (!in.config().continue_from().empty()) {
    return FieldError(kField, "continue_from says where to begin, too");
  }
  RETURN_IF_ERROR(models::ParseVersionName(name, kField).status());
  ASSIGN_OR_RETURN(const store::VersionRecord version, registry->GetVersion(name));
  ASSIGN_OR_RETURN(const store::ModelRecord model, registry->GetModel(version.model));
  ASSIGN_OR_RETURN(const flows::FlowSpec other, flows::SpecFromJson(model.spec_json));
  spec.dtype = other.dtype;
  spec.standardize = other.standardize;
  spec.initialization = other.initialization;
  spec.executor = other.executor;
  if (!(spec == other)) {
    return FieldError(kField, absl::StrCat(name, " is of another flow than the model"));
  }
  return absl::StrCat(models::ModelResource(version.model), "/versions/", version.number);
}

absl::StatusOr<std::string> DecodeContinueFrom(const v1::TrainJob& in, absl::string_view model,
                                               store::Store* store) {
  constexpr absl::string_view kField = "train_job.config.continue_from";
  const std::string& name = in.config().continue_from();
  if (name.empty()) return std::string();
  ASSIGN_OR_RETURN(std::string id, ParseName(kField, kTrainJobs, name));
  ASSIGN_OR_RETURN(const store::JobRecord earlier, store->GetJob(id));
  if (earlier.model != model) {
    return FieldError(kField, absl::StrCat(name, " trained models/", earlier.model));
  }
  if (earlier.state != store::JobState::kSucceeded) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, " has not SUCCEEDED and cannot be continued"));
  }
  return id;
}

}  // namespace

absl::StatusOr<store::JobRecord> DecodeTrainJob(const v1::CreateTrainJobRequest& in,
                                                models::Registry* registry, store::Store* store) {
  store::JobRecord job;
  if (!in.train_job_id().empty()) RETURN_IF_ERROR(CheckId("train_job_id", in.train_job_id()));
  if (in.request_id().size() > kMaxRequestId) {
    return FieldError("request_id", absl::StrCat("at most ", kMaxRequestId, " bytes"));
  }
  job.id = in.train_job_id();
  job.request_id = in.request_id();
  ASSIGN_OR_RETURN(job.model, ParseName("train_job.model", kModels, in.train_job().model()));
  ASSIGN_OR_RETURN(const store::ModelRecord model, registry->GetModel(job.model));
  ASSIGN_OR_RETURN(const flows::FlowSpec spec, flows::SpecFromJson(model.spec_json));

  TrainPayload payload;
  ASSIGN_OR_RETURN(const training::Objective objective,
                   DecodeSource(in.train_job(), spec, store, &payload));
  auto config = DecodeTrainConfig(in.train_job().config(), objective);
  if (!config.ok()) return PrefixField("train_job.config", config.status());
  payload.config = *std::move(config);
  ASSIGN_OR_RETURN(payload.continue_from, DecodeContinueFrom(in.train_job(), job.model, store));
  ASSIGN_OR_RETURN(payload.start_from, DecodeStartFrom(in.train_job(), spec, registry));
  job.dataset = payload.dataset;
  job.payload = ToJson(payload);
  return job;
}

}  // namespace sluiced::rpc
