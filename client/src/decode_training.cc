#include "client/src/decode.h"
#include "client/src/names.h"
#include "client/src/times.h"

namespace sluice {
namespace {

std::optional<Schedule> DecodeSchedule(v1::Schedule schedule) {
  switch (schedule) {
    case v1::SCHEDULE_CONSTANT:
      return Schedule::kConstant;
    case v1::SCHEDULE_COSINE:
      return Schedule::kCosine;
    case v1::SCHEDULE_STEPS:
      return Schedule::kSteps;
    case v1::SCHEDULE_STAGES:
      return Schedule::kStages;
    default:
      return std::nullopt;
  }
}

void DecodeTargetProgress(const v1::TargetProgress& in, TrainUpdate* out) {
  if (in.has_kl()) out->kl = in.kl();
  if (in.has_log_z_estimate()) out->log_z_estimate = in.log_z_estimate();
  if (in.has_log_z_error()) out->log_z_error = in.log_z_error();
  if (in.has_ess_fraction()) out->ess_fraction = in.ess_fraction();
  if (in.has_log_z_known()) out->log_z_known = in.log_z_known();
}

void DecodeOptimizer(const v1::TrainConfig& in, TrainConfig* out) {
  out->optimizer = in.optimizer() == v1::OPTIMIZER_ADAMW ? Optimizer::kAdamW : Optimizer::kAdam;
  if (in.has_learning_rate()) out->learning_rate = in.learning_rate();
  if (in.has_beta1()) out->beta1 = in.beta1();
  if (in.has_beta2()) out->beta2 = in.beta2();
  if (in.has_epsilon()) out->epsilon = in.epsilon();
  out->weight_decay = in.weight_decay();
  out->schedule = DecodeSchedule(in.schedule());
  for (const auto& stage : in.stages()) {
    out->stages.push_back({stage.epochs(), stage.learning_rate()});
  }
  out->step_epochs = in.step_epochs();
  if (in.has_step_factor()) out->step_factor = in.step_factor();
  if (in.has_final_learning_rate()) out->final_learning_rate = in.final_learning_rate();
  if (in.has_clip_norm()) out->clip_norm = in.clip_norm();
}

}  // namespace

// A state that this client does not know is no end: watching goes on.
JobState DecodeState(v1::JobState state) {
  switch (state) {
    case v1::JOB_STATE_QUEUED:
      return JobState::kQueued;
    case v1::JOB_STATE_PAUSED:
      return JobState::kPaused;
    case v1::JOB_STATE_CANCELLING:
      return JobState::kCancelling;
    case v1::JOB_STATE_SUCCEEDED:
      return JobState::kSucceeded;
    case v1::JOB_STATE_FAILED:
      return JobState::kFailed;
    case v1::JOB_STATE_CANCELLED:
      return JobState::kCancelled;
    default:
      return JobState::kRunning;
  }
}

TrainConfig DecodeConfig(const v1::TrainConfig& in) {
  TrainConfig out;
  out.epochs = in.epochs();
  out.batch_size = in.batch_size();
  DecodeOptimizer(in, &out);
  out.seed = in.seed();
  if (in.has_validation_fraction()) out.validation_fraction = in.validation_fraction();
  out.patience = in.patience();
  if (in.has_shuffle()) out.shuffle = in.shuffle();
  out.publish_last = in.publish_last();
  out.rows = in.rows();
  out.fixed_draws = in.fixed_draws();
  out.drop_score = in.drop_score();
  out.continue_from = IdOf("trainJobs/", in.continue_from());
  out.snapshots = in.snapshots();
  if (in.degenerate() == v1::DEGENERATE_DEQUANTIZE) out.degenerate = Degenerate::kDequantize;
  if (in.degenerate() == v1::DEGENERATE_ALLOW) out.degenerate = Degenerate::kAllow;
  out.start_from = in.start_from();
  if (in.has_target_weight()) out.target_weight = in.target_weight();
  if (in.has_anneal_from()) out.anneal_from = in.anneal_from();
  out.anneal_epochs = in.anneal_epochs();
  return out;
}

TrainUpdate DecodeUpdate(const v1::TrainUpdate& in) {
  TrainUpdate out;
  out.sequence = in.sequence();
  out.time = DecodeTime(in.time());
  out.state = DecodeState(in.state());
  out.attempt = in.attempt();
  out.message = in.message();
  out.epoch = in.epoch();
  out.epochs = in.epochs();
  out.step = in.step();
  if (in.has_train_loss()) out.train_loss = in.train_loss();
  if (in.has_validation_loss()) out.validation_loss = in.validation_loss();
  if (in.has_best_loss()) out.best_loss = in.best_loss();
  out.best_epoch = in.best_epoch();
  out.learning_rate = in.learning_rate();
  out.gradient_norm = in.gradient_norm();
  out.rows_per_second = in.rows_per_second();
  out.seconds_left = in.seconds_left();
  DecodeTargetProgress(in.target(), &out);
  return out;
}

TrainJob DecodeJob(const v1::TrainJob& in) {
  TrainJob out;
  out.id = IdOf("trainJobs/", in.name());
  out.model = IdOf("models/", in.model());
  out.dataset = IdOf("datasets/", in.dataset());
  out.target = IdOf("targets/", in.target());
  out.mixed_target = IdOf("targets/", in.mixed_target());
  out.weight_column = in.weight_column();
  out.config = DecodeConfig(in.config());
  out.state = DecodeState(in.state());
  out.attempt = in.attempt();
  out.create_time = DecodeTime(in.create_time());
  if (in.has_start_time()) out.start_time = DecodeTime(in.start_time());
  if (in.has_end_time()) out.end_time = DecodeTime(in.end_time());
  out.error = in.error();
  out.version = VersionNumberOf(in.version());
  out.last_sequence = in.last_sequence();
  if (in.has_last_update()) out.last_update = DecodeUpdate(in.last_update());
  if (in.has_last_epoch()) out.last_epoch = DecodeUpdate(in.last_epoch());
  out.snapshot_epochs = {in.snapshot_epochs().begin(), in.snapshot_epochs().end()};
  out.queue_position = in.queue_position();
  return out;
}

}  // namespace sluice
