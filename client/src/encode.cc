#include "client/src/encode.h"

#include "client/src/names.h"

namespace sluice {
namespace {

// The wire's choices stand in the same order, behind one that says nothing.
template <typename Wire, typename Ours>
Wire OnWire(Ours value) {
  return static_cast<Wire>(static_cast<int>(value) + 1);
}

v1::Schedule EncodeSchedule(Schedule schedule) {
  switch (schedule) {
    case Schedule::kConstant:
      return v1::SCHEDULE_CONSTANT;
    case Schedule::kCosine:
      return v1::SCHEDULE_COSINE;
    case Schedule::kSteps:
      return v1::SCHEDULE_STEPS;
    case Schedule::kStages:
      return v1::SCHEDULE_STAGES;
  }
  return v1::SCHEDULE_UNSPECIFIED;
}

void EncodeOptimizer(const TrainConfig& in, v1::TrainConfig* out) {
  out->set_optimizer(in.optimizer == Optimizer::kAdamW ? v1::OPTIMIZER_ADAMW : v1::OPTIMIZER_ADAM);
  if (in.learning_rate) out->set_learning_rate(*in.learning_rate);
  if (in.beta1) out->set_beta1(*in.beta1);
  if (in.beta2) out->set_beta2(*in.beta2);
  if (in.epsilon) out->set_epsilon(*in.epsilon);
  out->set_weight_decay(in.weight_decay);
  if (in.schedule) out->set_schedule(EncodeSchedule(*in.schedule));
  for (const Stage& stage : in.stages) {
    v1::TrainConfig::Stage* added = out->add_stages();
    added->set_epochs(stage.epochs);
    added->set_learning_rate(stage.learning_rate);
  }
  out->set_step_epochs(in.step_epochs);
  if (in.step_factor) out->set_step_factor(*in.step_factor);
  if (in.final_learning_rate) out->set_final_learning_rate(*in.final_learning_rate);
  if (in.clip_norm) out->set_clip_norm(*in.clip_norm);
}

}  // namespace

void EncodeSpec(const FlowSpec& in, v1::FlowSpec* out) {
  out->set_architecture(in.architecture);
  out->set_dim(in.dim);
  out->set_layers(in.layers);
  out->set_hidden(in.hidden);
  out->set_depth(in.depth);
  out->set_dtype(in.dtype == DType::kFloat64 ? v1::DTYPE_FLOAT64 : v1::DTYPE_FLOAT32);
  if (in.scale_bound) out->set_scale_bound(*in.scale_bound);
  if (in.standardize) out->set_standardize(*in.standardize);
  if (in.initialization) {
    out->set_initialization(*in.initialization == Initialization::kUniform
                                ? v1::INITIALIZATION_UNIFORM
                                : v1::INITIALIZATION_IDENTITY);
  }
  if (in.executor != Executor::kAuto) out->set_executor(OnWire<v1::Executor>(in.executor));
  out->set_context_dim(in.context_dim);
  out->set_base(OnWire<v1::Base>(in.base));
  out->set_components(in.components);
  if (in.degrees_of_freedom) out->set_degrees_of_freedom(*in.degrees_of_freedom);
  for (const Column& column : in.columns) {
    v1::Column* added = out->add_columns();
    added->set_index(column.index);
    added->set_support(OnWire<v1::Support>(column.support));
    added->set_low(column.low);
    added->set_high(column.high);
  }
  out->set_mixing(OnWire<v1::Mixing>(in.mixing));
  if (in.act_norm) out->set_act_norm(*in.act_norm);
  out->set_bins(in.bins);
  if (in.bound) out->set_bound(*in.bound);
}

void EncodeConfig(const TrainConfig& in, v1::TrainConfig* out) {
  out->set_epochs(in.epochs);
  out->set_batch_size(in.batch_size);
  EncodeOptimizer(in, out);
  out->set_seed(in.seed);
  if (in.validation_fraction) out->set_validation_fraction(*in.validation_fraction);
  out->set_patience(in.patience);
  if (in.shuffle) out->set_shuffle(*in.shuffle);
  out->set_publish_last(in.publish_last);
  out->set_rows(in.rows);
  out->set_fixed_draws(in.fixed_draws);
  out->set_drop_score(in.drop_score);
  if (!in.continue_from.empty()) out->set_continue_from(JobName(in.continue_from));
  out->set_snapshots(in.snapshots);
  out->set_degenerate(OnWire<v1::Degenerate>(in.degenerate));
  if (!in.start_from.empty()) out->set_start_from(VersionName(in.start_from, "latest"));
  if (in.target_weight) out->set_target_weight(*in.target_weight);
  if (in.anneal_from) out->set_anneal_from(*in.anneal_from);
  out->set_anneal_epochs(in.anneal_epochs);
}

}  // namespace sluice
