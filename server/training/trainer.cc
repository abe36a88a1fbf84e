#include "server/training/trainer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/flows/catch_torch.h"
#include "server/flows/parameters.h"
#include "server/flows/torch_setup.h"
#include "server/training/checkpoint.h"
#include "server/training/criterion.h"
#include "server/training/row_preparation.h"
#include "server/training/run.h"
#include "server/training/training_rows.h"

namespace sluiced::training {
namespace {

absl::Status CheckStart(const flows::FlowState& start) {
  RETURN_IF_ERROR(flows::Validate(start.spec));
  const std::vector<int64_t> shape = {flows::ParameterCount(start.spec)};
  if (start.parameters.shape() != shape || start.parameters.dtype() != start.spec.dtype) {
    return absl::InvalidArgumentError("the parameters do not fit the spec");
  }
  return flows::CheckStandardization(start.spec, start.standardization);
}

absl::Status CheckTarget(const flows::FlowSpec& spec, const targets::Target& target) {
  if (spec.context_dim > 0) {
    return FieldError("target", absl::StrCat(target.name(), " has no context, and the model is ",
                                             "conditional on ", spec.context_dim, " numbers"));
  }
  if (target.dim() == spec.dim) return absl::OkStatus();
  return FieldError("target", absl::StrCat(target.name(), " has ", target.dim(),
                                           " dimensions, the model ", spec.dim));
}

absl::Status CheckSource(const TrainInput& input) {
  const flows::FlowSpec& spec = input.start.spec;
  if (input.rows == nullptr && input.target == nullptr) {
    return absl::InvalidArgumentError("a training needs rows or a target");
  }
  if (input.target != nullptr) RETURN_IF_ERROR(CheckTarget(spec, *input.target));
  if (input.rows == nullptr) return absl::OkStatus();
  const int64_t columns = flows::RowColumns(spec) + (input.weight_column >= 0 ? 1 : 0);
  if (input.rows->shape().size() != 2 || input.rows->cols() != columns) {
    return FieldError("dataset", absl::StrCat("has ", input.rows->cols(), " columns, the model ",
                                              columns, " with its context and the weights"));
  }
  if (input.weight_column >= columns) return FieldError("weight_column", "is no column");
  return absl::OkStatus();
}

absl::StatusOr<Checkpoint> Decode(const TrainInput& input, const std::string& bytes) {
  ASSIGN_OR_RETURN(Checkpoint checkpoint, DecodeCheckpoint(bytes));
  if (!(checkpoint.spec == input.start.spec)) {
    return absl::InvalidArgumentError("the checkpoint is of a flow with another spec");
  }
  return checkpoint;
}

// The state to begin from: of the earlier run to continue, or a fresh one.
absl::StatusOr<Checkpoint> Begin(const TrainInput& input) {
  Checkpoint begin;
  if (!input.continue_from.empty()) {
    ASSIGN_OR_RETURN(begin, Decode(input, input.continue_from));
    begin.counters = {};
  } else {
    begin.spec = input.start.spec;
    begin.standardization = input.start.standardization;
    begin.now = Weights::Fresh(std::make_shared<const Array>(input.start.parameters));
  }
  begin.config = input.config;
  begin.before = begin.now;
  begin.best_parameters = begin.now.parameters;
  return begin;
}

absl::StatusOr<Checkpoint> StartOf(const TrainInput& input) {
  if (input.checkpoint.empty()) return Begin(input);
  ASSIGN_OR_RETURN(Checkpoint checkpoint, Decode(input, input.checkpoint));
  if (!(checkpoint.config == input.config)) {
    return absl::InvalidArgumentError("the checkpoint is of a training with other settings");
  }
  return checkpoint;
}

Objective ObjectiveOf(const TrainInput& input) {
  if (input.target == nullptr) return Objective::kMaximumLikelihood;
  return input.rows == nullptr ? Objective::kReverseKl : Objective::kMixed;
}

absl::Status Say(const TrainCallbacks& callbacks, const std::vector<std::string>& notes) {
  for (const std::string& note : notes) {
    Progress progress;
    progress.message = note;
    if (callbacks.on_progress) RETURN_IF_ERROR(callbacks.on_progress(progress));
  }
  return absl::OkStatus();
}

std::unique_ptr<Criterion> OnTarget(const TrainInput& input, const Checkpoint& start) {
  return MakeReverseKl(MakeGradients(start.spec, start.standardization, input.threads),
                       input.config, *input.target, start.spec);
}

absl::StatusOr<TrainOutcome> TrainOnTarget(const TrainInput& input, const Checkpoint& start,
                                           const TrainCallbacks& callbacks) {
  return Run(start, callbacks, *OnTarget(input, start)).Execute();
}

absl::StatusOr<TrainOutcome> TrainOnRows(const TrainInput& input, Checkpoint start,
                                         const TrainCallbacks& callbacks) {
  const TrainConfig& config = input.config;
  ASSIGN_OR_RETURN(TrainingRows rows, PrepareRows(start.spec, config, input.rows,
                                                  input.weight_column, input.column_names));
  // A run that goes on was looked at as it began, maybe by a server that asked for less.
  if (input.checkpoint.empty()) {
    RETURN_IF_ERROR(CheckRows(start.spec, config, &rows));
    RETURN_IF_ERROR(Say(callbacks, rows.notes));
  }
  if (start.spec.standardize && start.standardization.empty()) {
    ASSIGN_OR_RETURN(start.standardization,
                     FitStandardization(start.spec, *rows.data, rows.split.train));
  }
  auto criterion = MakeLikelihood(MakeGradients(start.spec, start.standardization, input.threads),
                                  config, *rows.data, start.spec.dtype, rows.split, rows.weights);
  if (input.target != nullptr) {
    criterion = MakeMixed(std::move(criterion), OnTarget(input, start), config.target_weight);
  }
  return Run(start, callbacks, *criterion).Execute();
}

absl::StatusOr<TrainOutcome> TrainOrThrow(const TrainInput& input,
                                          const TrainCallbacks& callbacks) {
  RETURN_IF_ERROR(CheckStart(input.start));
  RETURN_IF_ERROR(CheckSource(input));
  RETURN_IF_ERROR(Validate(input.config, ObjectiveOf(input)));
  ASSIGN_OR_RETURN(Checkpoint start, StartOf(input));
  if (input.rows == nullptr) return TrainOnTarget(input, start, callbacks);
  return TrainOnRows(input, std::move(start), callbacks);
}

}  // namespace

absl::StatusOr<TrainOutcome> Train(const TrainInput& input, const TrainCallbacks& callbacks) {
  // Sums split over threads would depend on their number.
  flows::SetUpTorch();
  return flows::CatchTorch("training", [&] { return TrainOrThrow(input, callbacks); });
}

}  // namespace sluiced::training
