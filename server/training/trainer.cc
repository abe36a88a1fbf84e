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

absl::Status CheckSource(const TrainInput& input) {
  const int64_t dim = input.start.spec.dim;
  if ((input.rows != nullptr) == (input.target != nullptr)) {
    return absl::InvalidArgumentError("a training needs either rows or a target");
  }
  if (input.target != nullptr && input.target->dim() != dim) {
    return FieldError("target", absl::StrCat(input.target->name(), " has ", input.target->dim(),
                                             " dimensions, the model ", dim));
  }
  if (input.rows != nullptr && (input.rows->shape().size() != 2 || input.rows->cols() != dim)) {
    return FieldError("dataset", absl::StrCat("has ", input.rows->cols(), " columns, the model ",
                                              dim, " dimensions"));
  }
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

absl::Status Warn(const TrainCallbacks& callbacks, const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    Progress progress;
    progress.message = absl::StrCat("warning: ", warning);
    if (callbacks.on_progress) RETURN_IF_ERROR(callbacks.on_progress(progress));
  }
  return absl::OkStatus();
}

absl::StatusOr<TrainOutcome> TrainOnTarget(const TrainInput& input, const Checkpoint& start,
                                           const TrainCallbacks& callbacks) {
  const auto criterion =
      MakeReverseKl(MakeGradients(start.spec, start.standardization, input.threads), input.config,
                    *input.target, start.spec);
  return Run(start, callbacks, *criterion).Execute();
}

absl::StatusOr<TrainOutcome> TrainOnRows(const TrainInput& input, Checkpoint start,
                                         const TrainCallbacks& callbacks) {
  const TrainConfig& config = input.config;
  ASSIGN_OR_RETURN(const Split split,
                   SplitRows(input.rows->rows(), config.validation_fraction, config.seed));
  if (start.spec.standardize && start.standardization.empty()) {
    ASSIGN_OR_RETURN(start.standardization, FitStandardization(*input.rows, split.train));
  }
  if (input.checkpoint.empty()) {
    RETURN_IF_ERROR(Warn(callbacks, DegeneracyWarnings(*input.rows, split.train)));
  }
  const auto criterion =
      MakeLikelihood(MakeGradients(start.spec, start.standardization, input.threads), config,
                     *input.rows, start.spec.dtype, split);
  return Run(start, callbacks, *criterion).Execute();
}

absl::StatusOr<TrainOutcome> TrainOrThrow(const TrainInput& input,
                                          const TrainCallbacks& callbacks) {
  RETURN_IF_ERROR(CheckStart(input.start));
  RETURN_IF_ERROR(CheckSource(input));
  const bool on_target = input.target != nullptr;
  RETURN_IF_ERROR(
      Validate(input.config, on_target ? Objective::kReverseKl : Objective::kMaximumLikelihood));
  ASSIGN_OR_RETURN(Checkpoint start, StartOf(input));
  if (on_target) return TrainOnTarget(input, start, callbacks);
  return TrainOnRows(input, std::move(start), callbacks);
}

}  // namespace

absl::StatusOr<TrainOutcome> Train(const TrainInput& input, const TrainCallbacks& callbacks) {
  // Sums split over threads would depend on their number.
  flows::SetUpTorch();
  return flows::CatchTorch("training", [&] { return TrainOrThrow(input, callbacks); });
}

}  // namespace sluiced::training
