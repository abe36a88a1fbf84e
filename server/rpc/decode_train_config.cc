#include "server/rpc/decode_train_config.h"

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"

namespace sluiced::rpc {
namespace {

absl::StatusOr<training::Optimizer> DecodeOptimizer(v1::Optimizer in) {
  switch (in) {
    case v1::OPTIMIZER_UNSPECIFIED:
    case v1::OPTIMIZER_ADAM:
      return training::Optimizer::kAdam;
    case v1::OPTIMIZER_ADAMW:
      return training::Optimizer::kAdamW;
    default:
      return FieldError("optimizer", absl::StrCat(static_cast<int>(in), " is no known optimizer"));
  }
}

absl::StatusOr<training::Schedule> DecodeSchedule(v1::Schedule in, bool has_stages) {
  switch (in) {
    case v1::SCHEDULE_UNSPECIFIED:
      return has_stages ? training::Schedule::kStages : training::Schedule::kConstant;
    case v1::SCHEDULE_CONSTANT:
      return training::Schedule::kConstant;
    case v1::SCHEDULE_COSINE:
      return training::Schedule::kCosine;
    case v1::SCHEDULE_STEPS:
      return training::Schedule::kSteps;
    case v1::SCHEDULE_STAGES:
      return training::Schedule::kStages;
    default:
      return FieldError("schedule", absl::StrCat(static_cast<int>(in), " is no known schedule"));
  }
}

absl::StatusOr<training::Degenerate> DecodeDegenerate(v1::Degenerate in) {
  switch (in) {
    case v1::DEGENERATE_UNSPECIFIED:
    case v1::DEGENERATE_REFUSE:
      return training::Degenerate::kRefuse;
    case v1::DEGENERATE_DEQUANTIZE:
      return training::Degenerate::kDequantize;
    case v1::DEGENERATE_ALLOW:
      return training::Degenerate::kAllow;
    default:
      return FieldError("degenerate", absl::StrCat(static_cast<int>(in), " is no known choice"));
  }
}

// How steps are made, and of what length.
absl::Status DecodeSteps(const v1::TrainConfig& in, training::TrainConfig* out) {
  ASSIGN_OR_RETURN(out->optimizer, DecodeOptimizer(in.optimizer()));
  if (in.has_learning_rate()) out->learning_rate = in.learning_rate();
  if (in.has_beta1()) out->beta1 = in.beta1();
  if (in.has_beta2()) out->beta2 = in.beta2();
  if (in.has_epsilon()) out->epsilon = in.epsilon();
  out->weight_decay = in.weight_decay();
  ASSIGN_OR_RETURN(out->schedule, DecodeSchedule(in.schedule(), in.stages_size() > 0));
  for (const auto& stage : in.stages()) {
    out->stages.push_back({stage.epochs(), stage.learning_rate()});
  }
  out->step_epochs = in.step_epochs();
  if (in.has_step_factor()) out->step_factor = in.step_factor();
  if (in.has_final_learning_rate()) out->final_learning_rate = in.final_learning_rate();
  if (in.has_clip_norm()) out->clip_norm = in.clip_norm();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<training::TrainConfig> DecodeTrainConfig(const v1::TrainConfig& in,
                                                        training::Objective objective) {
  training::TrainConfig config;
  if (in.epochs() != 0) config.epochs = in.epochs();
  if (in.batch_size() != 0) config.batch_size = in.batch_size();
  RETURN_IF_ERROR(DecodeSteps(in, &config));
  config.seed = in.seed();
  if (in.has_validation_fraction()) config.validation_fraction = in.validation_fraction();
  config.patience = in.patience();
  if (in.has_shuffle()) config.shuffle = in.shuffle();
  config.publish_last = in.publish_last();
  if (in.rows() != 0) config.rows = in.rows();
  config.fixed_draws = in.fixed_draws();
  config.drop_score = in.drop_score();
  if (in.snapshots() != 0) config.snapshots = in.snapshots();
  ASSIGN_OR_RETURN(config.degenerate, DecodeDegenerate(in.degenerate()));
  if (in.has_target_weight()) config.target_weight = in.target_weight();
  if (in.has_anneal_from()) config.anneal_from = in.anneal_from();
  config.anneal_epochs = in.anneal_epochs();
  RETURN_IF_ERROR(training::Validate(config, objective));
  if (!config.stages.empty()) config.epochs = training::TotalEpochs(config);
  return config;
}

}  // namespace sluiced::rpc
