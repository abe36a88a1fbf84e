#include "server/rpc/decode_train_job.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/resource_id.h"
#include "server/common/status_macros.h"
#include "server/flows/flow_spec.h"
#include "server/rpc/decode_train_config.h"
#include "server/rpc/names.h"
#include "server/rpc/train_payload.h"
#include "server/targets/target.h"

namespace sluiced::rpc {
namespace {

constexpr size_t kMaxRequestId = 256;

absl::Status CheckDim(absl::string_view field, absl::string_view what, int64_t has, int64_t dim) {
  if (has == dim) return absl::OkStatus();
  return FieldError(field, absl::StrCat(what, "; the model has ", dim, " dimensions"));
}

// Sets the payload's dataset or target.
absl::StatusOr<training::Objective> DecodeSource(const v1::TrainJob& in, int64_t dim,
                                                 store::Store* store, TrainPayload* payload) {
  if (in.has_dataset()) {
    ASSIGN_OR_RETURN(payload->dataset, ParseName("train_job.dataset", kDatasets, in.dataset()));
    ASSIGN_OR_RETURN(const store::DatasetRecord dataset, store->GetDataset(payload->dataset));
    RETURN_IF_ERROR(CheckDim("train_job.dataset", absl::StrCat("has ", dataset.columns, " columns"),
                             dataset.columns, dim));
    return training::Objective::kMaximumLikelihood;
  }
  if (in.has_target()) {
    ASSIGN_OR_RETURN(payload->target, ParseName("train_job.target", kTargets, in.target()));
    ASSIGN_OR_RETURN(const targets::Target* target, targets::FindTarget(payload->target));
    RETURN_IF_ERROR(CheckDim("train_job.target", absl::StrCat("has ", target->dim(), " dimensions"),
                             target->dim(), dim));
    return training::Objective::kReverseKl;
  }
  return FieldError("train_job.dataset", "a job needs a dataset or a target");
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
                   DecodeSource(in.train_job(), spec.dim, store, &payload));
  auto config = DecodeTrainConfig(in.train_job().config(), objective);
  if (!config.ok()) return PrefixField("train_job.config", config.status());
  payload.config = *std::move(config);
  ASSIGN_OR_RETURN(payload.continue_from, DecodeContinueFrom(in.train_job(), job.model, store));
  job.dataset = payload.dataset;
  job.payload = ToJson(payload);
  return job;
}

}  // namespace sluiced::rpc
