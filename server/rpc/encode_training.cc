#include "server/rpc/encode_training.h"

#include "absl/strings/str_cat.h"
#include "server/common/status_macros.h"
#include "server/rpc/encode_tensor.h"
#include "server/rpc/names.h"
#include "server/training/progress.h"

namespace sluiced::rpc {
namespace {

v1::Schedule EncodeSchedule(training::Schedule schedule) {
  switch (schedule) {
    case training::Schedule::kConstant:
      return v1::SCHEDULE_CONSTANT;
    case training::Schedule::kCosine:
      return v1::SCHEDULE_COSINE;
    case training::Schedule::kSteps:
      return v1::SCHEDULE_STEPS;
    case training::Schedule::kStages:
      return v1::SCHEDULE_STAGES;
  }
  return v1::SCHEDULE_UNSPECIFIED;
}

void EncodeSteps(const training::TrainConfig& config, v1::TrainConfig* out) {
  out->set_optimizer(config.optimizer == training::Optimizer::kAdamW ? v1::OPTIMIZER_ADAMW
                                                                     : v1::OPTIMIZER_ADAM);
  out->set_learning_rate(config.learning_rate);
  out->set_beta1(config.beta1);
  out->set_beta2(config.beta2);
  out->set_epsilon(config.epsilon);
  out->set_weight_decay(config.weight_decay);
  out->set_schedule(EncodeSchedule(config.schedule));
  for (const training::Stage& stage : config.stages) {
    auto* added = out->add_stages();
    added->set_epochs(stage.epochs);
    added->set_learning_rate(stage.learning_rate);
  }
  out->set_step_epochs(config.step_epochs);
  out->set_step_factor(config.step_factor);
  out->set_final_learning_rate(config.final_learning_rate);
  out->set_clip_norm(config.clip_norm);
}

void EncodeTargetProgress(const training::TargetProgress& progress, v1::TargetProgress* out) {
  if (progress.kl) out->set_kl(*progress.kl);
  if (progress.log_z_estimate) out->set_log_z_estimate(*progress.log_z_estimate);
  if (progress.log_z_error) out->set_log_z_error(*progress.log_z_error);
  if (progress.ess_fraction) out->set_ess_fraction(*progress.ess_fraction);
  if (progress.log_z_known) out->set_log_z_known(*progress.log_z_known);
}

void EncodeProgress(const training::Progress& progress, v1::TrainUpdate* out) {
  out->set_message(progress.message);
  out->set_epoch(progress.epoch);
  out->set_epochs(progress.epochs);
  out->set_step(progress.step);
  if (progress.train_loss) out->set_train_loss(*progress.train_loss);
  if (progress.validation_loss) out->set_validation_loss(*progress.validation_loss);
  out->set_learning_rate(progress.learning_rate);
  out->set_gradient_norm(progress.gradient_norm);
  out->set_rows_per_second(progress.rows_per_second);
  out->set_seconds_left(progress.seconds_left);
  if (progress.best_loss) out->set_best_loss(*progress.best_loss);
  out->set_best_epoch(progress.best_epoch);
  if (progress.target) EncodeTargetProgress(*progress.target, out->mutable_target());
}

}  // namespace

v1::JobState EncodeState(store::JobState state) {
  switch (state) {
    case store::JobState::kQueued:
      return v1::JOB_STATE_QUEUED;
    case store::JobState::kRunning:
      return v1::JOB_STATE_RUNNING;
    case store::JobState::kPaused:
      return v1::JOB_STATE_PAUSED;
    case store::JobState::kCancelling:
      return v1::JOB_STATE_CANCELLING;
    case store::JobState::kSucceeded:
      return v1::JOB_STATE_SUCCEEDED;
    case store::JobState::kFailed:
      return v1::JOB_STATE_FAILED;
    case store::JobState::kCancelled:
      return v1::JOB_STATE_CANCELLED;
  }
  return v1::JOB_STATE_UNSPECIFIED;
}

void EncodeTrainConfig(const TrainPayload& payload, v1::TrainConfig* out) {
  const training::TrainConfig& config = payload.config;
  out->set_epochs(config.epochs);
  out->set_batch_size(config.batch_size);
  EncodeSteps(config, out);
  out->set_seed(config.seed);
  out->set_validation_fraction(config.validation_fraction);
  out->set_patience(config.patience);
  out->set_shuffle(config.shuffle);
  out->set_publish_last(config.publish_last);
  out->set_rows(config.rows);
  out->set_fixed_draws(config.fixed_draws);
  out->set_drop_score(config.drop_score);
  if (!payload.continue_from.empty()) {
    out->set_continue_from(MakeName(kTrainJobs, payload.continue_from));
  }
  out->set_snapshots(config.snapshots);
  out->set_degenerate(
      static_cast<v1::Degenerate>(v1::DEGENERATE_REFUSE + static_cast<int>(config.degenerate)));
  out->set_start_from(payload.start_from);
  out->set_target_weight(config.target_weight);
  out->set_anneal_from(config.anneal_from);
  out->set_anneal_epochs(config.anneal_epochs);
}

absl::Status EncodeJob(const store::JobRecord& job, v1::TrainJob* out) {
  ASSIGN_OR_RETURN(const TrainPayload payload, PayloadFromJson(job.payload));
  out->set_name(MakeName(kTrainJobs, job.id));
  out->set_model(MakeName(kModels, job.model));
  if (!payload.dataset.empty()) out->set_dataset(MakeName(kDatasets, payload.dataset));
  if (!payload.target.empty() && payload.dataset.empty()) {
    out->set_target(MakeName(kTargets, payload.target));
  }
  if (!payload.target.empty() && !payload.dataset.empty()) {
    out->set_mixed_target(MakeName(kTargets, payload.target));
  }
  if (payload.weight_column >= 0) out->set_weight_column(absl::StrCat(payload.weight_column));
  EncodeTrainConfig(payload, out->mutable_config());
  out->set_state(EncodeState(job.state));
  out->set_attempt(job.attempt);
  EncodeTime(job.create_time, out->mutable_create_time());
  if (job.start_time) EncodeTime(*job.start_time, out->mutable_start_time());
  if (job.end_time) EncodeTime(*job.end_time, out->mutable_end_time());
  out->set_error(job.error);
  if (job.version >= 0) {
    out->set_version(absl::StrCat(MakeName(kModels, job.model), "/versions/", job.version));
  }
  out->set_last_sequence(job.last_sequence);
  return absl::OkStatus();
}

absl::Status EncodeUpdate(const store::UpdateRecord& update, v1::TrainUpdate* out) {
  out->set_sequence(update.sequence);
  EncodeTime(update.time, out->mutable_time());
  out->set_state(EncodeState(update.state));
  out->set_attempt(update.attempt);
  if (update.payload.empty()) return absl::OkStatus();  // A change of state alone.
  ASSIGN_OR_RETURN(const training::Progress progress, training::ProgressFromJson(update.payload));
  EncodeProgress(progress, out);
  return absl::OkStatus();
}

void EncodeTarget(const targets::Target& target, v1::Target* out) {
  out->set_target(MakeName(kTargets, target.name()));
  out->set_dim(target.dim());
  if (target.log_z()) out->set_log_z(*target.log_z());
  out->set_description(target.description());
  out->mutable_low()->Add(target.low().begin(), target.low().end());
  out->mutable_high()->Add(target.high().begin(), target.high().end());
}

}  // namespace sluiced::rpc
