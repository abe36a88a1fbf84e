#include "server/train_run.h"

#include <spdlog/spdlog.h>

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/common/status_macros.h"
#include "server/common/thread_priority.h"
#include "server/data/table.h"
#include "server/models/model_codec.h"
#include "server/models/names.h"
#include "server/rpc/train_payload.h"
#include "server/targets/target.h"
#include "server/training/trainer.h"

namespace sluiced {
namespace {

training::Signal ToTraining(jobs::Signal signal) {
  switch (signal) {
    case jobs::Signal::kPause:
      return training::Signal::kPause;
    case jobs::Signal::kCancel:
      return training::Signal::kCancel;
    case jobs::Signal::kContinue:
      break;
  }
  return training::Signal::kContinue;
}

observe::JobProgress ProgressToShow(const training::Progress& progress) {
  return {.id = {},
          .model = {},
          .epoch = progress.epoch,
          .epochs = progress.epochs,
          .train_loss = progress.train_loss,
          .validation_loss = progress.validation_loss,
          .best_loss = progress.best_loss,
          .rows_per_second = progress.rows_per_second,
          .seconds_left = progress.seconds_left};
}

// `last` gets the progress of the last epoch, and `shown` shows it.
training::TrainCallbacks CallbacksOf(jobs::RunContext& context, absl::Duration checkpoint_interval,
                                     training::Progress* last, observe::RunningJobs::Run* shown) {
  training::TrainCallbacks callbacks;
  callbacks.on_progress = [&context, last, shown](const training::Progress& progress) {
    if (progress.epoch > 0) {
      *last = progress;
      shown->Set(ProgressToShow(progress));
    }
    return context.AddUpdate(training::ToJson(progress));
  };
  callbacks.on_checkpoint = [&context](std::string checkpoint) {
    return context.SaveCheckpoint(std::move(checkpoint));
  };
  callbacks.on_snapshot = [&context](int64_t epoch, const flows::FlowState& state) {
    return context.SaveSnapshot(epoch, models::EncodeModelFile(state));
  };
  callbacks.checkpoint_interval = checkpoint_interval;
  callbacks.signal = [&context] { return ToTraining(context.signal()); };
  return callbacks;
}

void LogStart(const jobs::JobRecord& job, const rpc::TrainPayload& payload,
              const training::TrainInput& input) {
  spdlog::info("trainJobs/{} {}: models/{} on {}{}, attempt {}", job.id,
               input.checkpoint.empty() ? "starts" : "goes on from its last checkpoint", job.model,
               payload.dataset.empty() ? "targets/" : "datasets/",
               payload.dataset.empty() ? payload.target : payload.dataset, job.attempt);
}

// What a run that ended says of its job, unless the result cannot be saved.
void LogEnd(const jobs::JobRecord& job, const jobs::RunContext& context,
            const absl::StatusOr<jobs::RunResult>& result) {
  if (!result.ok()) {
    return spdlog::warn("trainJobs/{} FAILED: {}", job.id, std::string(result.status().message()));
  }
  if (result->publication) return spdlog::info("trainJobs/{} SUCCEEDED", job.id);
  const bool cancelled = context.signal() == jobs::Signal::kCancel;
  spdlog::info("trainJobs/{} {}", job.id, cancelled ? "CANCELLED" : "stopped at a checkpoint");
}

// Legal, and seldom meant: each epoch is one step.
absl::Status NoteLargeBatch(const rpc::TrainPayload& payload, const training::TrainInput& input,
                            jobs::RunContext& context) {
  const int64_t rows = input.rows != nullptr ? input.rows->rows() : payload.config.rows;
  if (!input.checkpoint.empty() || payload.config.batch_size <= rows) return absl::OkStatus();
  training::Progress progress;
  progress.message =
      absl::StrCat("warning: a batch of ", payload.config.batch_size, " rows is more than the ",
                   rows, " there are: each epoch is a single step");
  return context.AddUpdate(training::ToJson(progress));
}

class TrainRun {
 public:
  TrainRun(store::Store* store, models::Registry* registry, observe::RunningJobs* running,
           const TrainRunOptions& options)
      : store_(store), registry_(registry), running_(running), options_(options) {}

  absl::StatusOr<jobs::RunResult> operator()(const jobs::JobRecord& job,
                                             jobs::RunContext& context) const {
    SetNiceness(options_.nice);
    try {
      absl::StatusOr<jobs::RunResult> result = Run(job, context);
      LogEnd(job, context, result);
      return result;
    } catch (const std::exception& exception) {
      LogEnd(job, context, absl::InternalError(exception.what()));
      throw;
    }
  }

 private:
  absl::StatusOr<jobs::RunResult> Run(const jobs::JobRecord& job, jobs::RunContext& context) const {
    ASSIGN_OR_RETURN(rpc::TrainPayload payload, rpc::PayloadFromJson(job.payload));
    ASSIGN_OR_RETURN(training::TrainInput input, InputOf(job, payload, context));
    LogStart(job, payload, input);
    RETURN_IF_ERROR(NoteLargeBatch(payload, input, context));
    training::Progress last;
    observe::RunningJobs::Run shown(running_, job.id, job.model);
    ASSIGN_OR_RETURN(
        training::TrainOutcome outcome,
        training::Train(input, CallbacksOf(context, options_.checkpoint_interval, &last, &shown)));
    jobs::RunResult result;
    if (outcome.stopped_by != training::Signal::kContinue) return result;
    last.message = "published";
    last.seconds_left = 0;
    result.last_payload = training::ToJson(last);
    ASSIGN_OR_RETURN(result.publication, PublicationOf(job, payload, std::move(outcome)));
    return result;
  }

  absl::StatusOr<training::TrainInput> InputOf(const jobs::JobRecord& job,
                                               const rpc::TrainPayload& payload,
                                               jobs::RunContext& context) const {
    training::TrainInput input;
    input.config = payload.config;
    input.threads = options_.threads;
    ASSIGN_OR_RETURN(input.checkpoint, context.LoadCheckpoint());
    // A run that goes on has its parameters in the checkpoint: what `latest` names by
    // now is of no matter to it.
    ASSIGN_OR_RETURN(input.start, registry_->LoadState(models::ModelResource(job.model)));
    if (!payload.start_from.empty()) RETURN_IF_ERROR(StartFrom(payload.start_from, &input.start));
    if (!payload.target.empty()) {
      ASSIGN_OR_RETURN(input.target, targets::FindTarget(payload.target));
    }
    if (!payload.dataset.empty()) {
      ASSIGN_OR_RETURN(input.rows, data::LoadRows(store_, payload.dataset));
      ASSIGN_OR_RETURN(const data::DatasetInfo info, DatasetInfoOf(payload.dataset));
      input.column_names = info.column_names;
      input.weight_column = payload.weight_column;
    }
    if (!payload.continue_from.empty()) {
      ASSIGN_OR_RETURN(input.continue_from, store_->GetCheckpoint(payload.continue_from));
      if (input.continue_from.empty()) {
        return absl::FailedPreconditionError(
            absl::StrCat("trainJobs/", payload.continue_from, " has no state to continue"));
      }
    }
    return input;
  }

  // The parameters of another model of the same flow.
  absl::Status StartFrom(const std::string& version, flows::FlowState* start) const {
    ASSIGN_OR_RETURN(flows::FlowState other, registry_->LoadState(version));
    start->parameters = other.parameters.To(start->spec.dtype);
    start->standardization = std::move(other.standardization);
    return absl::OkStatus();
  }

  absl::StatusOr<data::DatasetInfo> DatasetInfoOf(const std::string& id) const {
    ASSIGN_OR_RETURN(const store::DatasetRecord dataset, store_->GetDataset(id));
    return data::InfoFromJson(dataset.info_json);
  }

  absl::StatusOr<store::Store::Publication> PublicationOf(const jobs::JobRecord& job,
                                                          const rpc::TrainPayload& payload,
                                                          training::TrainOutcome outcome) const {
    store::Store::Publication publication;
    store::VersionRecord& version = publication.version;
    version.model = job.model;
    version.train_job = job.id;
    version.seed = payload.config.seed;
    version.metrics = std::move(outcome.metrics);
    version.standardization_json = models::EncodeStandardization(outcome.state.standardization);
    version.create_time = absl::Now();
    if (payload.dataset.empty()) {
      version.source = absl::StrCat("targets/", payload.target);
    } else {
      version.source = absl::StrCat("datasets/", payload.dataset);
      ASSIGN_OR_RETURN(const data::DatasetInfo info, DatasetInfoOf(payload.dataset));
      version.dataset_hash = info.hash;
    }
    publication.parameters = models::EncodeParameters(outcome.state.parameters);
    publication.last_checkpoint = std::move(outcome.last_checkpoint);
    return publication;
  }

  store::Store* const store_;
  models::Registry* const registry_;
  observe::RunningJobs* const running_;
  const TrainRunOptions options_;
};

}  // namespace

jobs::RunFunction MakeTrainRun(store::Store* store, models::Registry* registry,
                               observe::RunningJobs* running, const TrainRunOptions& options) {
  return TrainRun(store, registry, running, options);
}

std::string EncodeTrainError(const std::string& error) {
  training::Progress progress;
  progress.message = error;
  return training::ToJson(progress);
}

}  // namespace sluiced
