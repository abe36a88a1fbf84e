#include "client/cli/term/json_view.h"

#include <cmath>
#include <iostream>
#include <optional>

#include "client/cli/term/format.h"

namespace sluice::cli {
namespace {

const char* NameOfType(DType dtype) { return dtype == DType::kFloat64 ? "float64" : "float32"; }

template <typename T>
void PutIf(Json* json, const char* key, const std::optional<T>& value) {
  if (value) (*json)[key] = *value;
}

Json ColumnJson(const Column& column) {
  Json json{{"index", column.index}, {"support", NameOf(column.support)}};
  if (column.support == Support::kInterval || column.support == Support::kPeriodic) {
    json["low"] = column.low;
    json["high"] = column.high;
  }
  return json;
}

Json SpecJson(const FlowSpec& spec) {
  Json json{{"architecture", spec.architecture},
            {"dim", spec.dim},
            {"layers", spec.layers},
            {"hidden", spec.hidden},
            {"depth", spec.depth},
            {"dtype", NameOfType(spec.dtype)}};
  PutIf(&json, "scale_bound", spec.scale_bound);
  PutIf(&json, "standardize", spec.standardize);
  if (spec.initialization) {
    json["initialization"] =
        *spec.initialization == Initialization::kUniform ? "uniform" : "identity";
  }
  json["executor"] = NameOf(spec.executor);
  json["context_dim"] = spec.context_dim;
  json["base"] = NameOf(spec.base);
  json["components"] = spec.components;
  PutIf(&json, "degrees_of_freedom", spec.degrees_of_freedom);
  json["columns"] = Json::array();
  for (const Column& column : spec.columns) json["columns"].push_back(ColumnJson(column));
  json["mixing"] = NameOf(spec.mixing);
  PutIf(&json, "act_norm", spec.act_norm);
  json["bins"] = spec.bins;
  PutIf(&json, "bound", spec.bound);
  return json;
}

Json ConfigJson(const TrainConfig& config) {
  Json json{{"epochs", config.epochs},
            {"batch_size", config.batch_size},
            {"optimizer", config.optimizer == Optimizer::kAdamW ? "adamw" : "adam"},
            {"weight_decay", config.weight_decay},
            {"seed", config.seed},
            {"patience", config.patience}};
  PutIf(&json, "learning_rate", config.learning_rate);
  PutIf(&json, "clip_norm", config.clip_norm);
  PutIf(&json, "validation_fraction", config.validation_fraction);
  PutIf(&json, "shuffle", config.shuffle);
  if (!config.continue_from.empty()) json["continue_from"] = config.continue_from;
  json["degenerate"] = NameOf(config.degenerate);
  if (!config.start_from.empty()) json["start_from"] = config.start_from;
  PutIf(&json, "target_weight", config.target_weight);
  PutIf(&json, "anneal_from", config.anneal_from);
  for (const Stage& stage : config.stages) {
    json["stages"].push_back({{"epochs", stage.epochs}, {"learning_rate", stage.learning_rate}});
  }
  return json;
}

}  // namespace

Json ToJson(const Model& model) {
  return {{"name", model.id},
          {"spec", SpecJson(model.spec)},
          {"description", model.description},
          {"labels", model.labels},
          {"create_time", IsoTime(model.create_time)},
          {"executor", NameOf(model.executor)},
          {"latest_version", model.latest_version},
          {"aliases", model.aliases},
          {"parameter_count", model.parameter_count},
          {"warnings", model.warnings}};
}

Json ToJson(const Version& version) {
  return {{"model", version.model},         {"number", version.number},
          {"spec", SpecJson(version.spec)}, {"create_time", IsoTime(version.create_time)},
          {"metrics", version.metrics},     {"train_job", version.train_job},
          {"source", version.source},       {"dataset_hash", version.dataset_hash},
          {"seed", version.seed},           {"shift", version.shift},
          {"scale", version.scale}};
}

Json ToJson(const Dataset& dataset) {
  return {{"name", dataset.id},
          {"rows", dataset.rows},
          {"columns", dataset.columns},
          {"dtype", NameOfType(dataset.dtype)},
          {"column_names", dataset.column_names},
          {"source", dataset.source},
          {"hash", dataset.hash},
          {"description", dataset.description},
          {"create_time", IsoTime(dataset.create_time)},
          {"mean", dataset.mean},
          {"stddev", dataset.stddev},
          {"min", dataset.min},
          {"max", dataset.max},
          {"notes", dataset.notes}};
}

Json ToJson(const Toy& toy) {
  return {{"toy", toy.name}, {"columns", toy.columns}, {"description", toy.description}};
}

Json ToJson(const Target& target) {
  Json json{{"target", target.id},
            {"dim", target.dim},
            {"description", target.description},
            {"low", target.low},
            {"high", target.high}};
  PutIf(&json, "log_z", target.log_z);
  return json;
}

Json ToJson(const TrainUpdate& update) {
  Json json{{"sequence", update.sequence},
            {"time", IsoTime(update.time)},
            {"state", NameOf(update.state)},
            {"attempt", update.attempt},
            {"message", update.message},
            {"epoch", update.epoch},
            {"epochs", update.epochs},
            {"step", update.step},
            {"learning_rate", update.learning_rate},
            {"gradient_norm", update.gradient_norm},
            {"rows_per_second", update.rows_per_second},
            {"seconds_left", update.seconds_left},
            {"best_epoch", update.best_epoch}};
  PutIf(&json, "train_loss", update.train_loss);
  PutIf(&json, "validation_loss", update.validation_loss);
  PutIf(&json, "best_loss", update.best_loss);
  PutIf(&json, "kl", update.kl);
  PutIf(&json, "log_z_estimate", update.log_z_estimate);
  PutIf(&json, "log_z_error", update.log_z_error);
  PutIf(&json, "ess_fraction", update.ess_fraction);
  PutIf(&json, "log_z_known", update.log_z_known);
  return json;
}

Json ToJson(const TrainJob& job) {
  Json json{{"name", job.id},
            {"model", job.model},
            {"dataset", job.dataset},
            {"target", job.target},
            {"mixed_target", job.mixed_target},
            {"weight_column", job.weight_column},
            {"state", NameOf(job.state)},
            {"attempt", job.attempt},
            {"config", ConfigJson(job.config)},
            {"create_time", IsoTime(job.create_time)},
            {"error", job.error},
            {"last_sequence", job.last_sequence},
            {"queue_position", job.queue_position},
            {"snapshot_epochs", job.snapshot_epochs}};
  if (job.start_time) json["start_time"] = IsoTime(*job.start_time);
  if (job.end_time) json["end_time"] = IsoTime(*job.end_time);
  PutIf(&json, "version", job.version);
  if (job.last_update) json["last_update"] = ToJson(*job.last_update);
  if (job.last_epoch) json["last_epoch"] = ToJson(*job.last_epoch);
  return json;
}

namespace {

Json MethodJson(const MethodStatistics& method) {
  return {{"service", method.service},
          {"method", method.method},
          {"calls", method.calls},
          {"errors", method.errors},
          {"rows", method.rows},
          {"in_flight", method.in_flight},
          {"recent_calls", method.recent_calls},
          {"recent_errors", method.recent_errors},
          {"recent_rows", method.recent_rows},
          {"p50_seconds", method.p50_seconds},
          {"p90_seconds", method.p90_seconds},
          {"p99_seconds", method.p99_seconds}};
}

Json RunningJobJson(const RunningJob& job) {
  Json json{{"name", job.id},
            {"model", job.model},
            {"epoch", job.epoch},
            {"epochs", job.epochs},
            {"rows_per_second", job.rows_per_second},
            {"seconds_left", job.seconds_left}};
  PutIf(&json, "train_loss", job.train_loss);
  PutIf(&json, "validation_loss", job.validation_loss);
  PutIf(&json, "best_loss", job.best_loss);
  return json;
}

Json CountsJson(const std::map<JobState, int64_t>& counts) {
  Json json = Json::object();
  for (const auto& [state, count] : counts) json[NameOf(state)] = count;
  return json;
}

}  // namespace

Json ToJson(const Statistics& statistics) {
  Json json{{"version", statistics.server_version},
            {"start_time", IsoTime(statistics.start_time)},
            {"time", IsoTime(statistics.time)},
            {"window_seconds", statistics.window_seconds},
            {"methods", Json::array()},
            {"queues", Json::array()},
            {"in_flight_bytes", statistics.in_flight_bytes},
            {"max_in_flight_bytes", statistics.max_in_flight_bytes},
            {"loaded_models", statistics.loaded_models},
            {"loaded_model_bytes", statistics.loaded_model_bytes},
            {"max_loaded_model_bytes", statistics.max_loaded_model_bytes},
            {"job_bytes", statistics.job_bytes},
            {"max_job_bytes", statistics.max_job_bytes},
            {"models", Json::array()},
            {"jobs", CountsJson(statistics.jobs)},
            {"ended_jobs", CountsJson(statistics.ended_jobs)},
            {"running_jobs", Json::array()},
            {"resident_bytes", statistics.resident_bytes},
            {"open_files", statistics.open_files},
            {"cpu_seconds", statistics.cpu_seconds}};
  for (const MethodStatistics& method : statistics.methods) {
    json["methods"].push_back(MethodJson(method));
  }
  for (const QueueStatistics& queue : statistics.queues) {
    json["queues"].push_back(
        {{"queue", queue.queue}, {"waiting", queue.waiting}, {"capacity", queue.capacity}});
  }
  for (const LoadedModel& model : statistics.models) {
    json["models"].push_back({{"version", model.version}, {"bytes", model.bytes}});
  }
  for (const RunningJob& job : statistics.running_jobs) {
    json["running_jobs"].push_back(RunningJobJson(job));
  }
  return json;
}

void PrintJson(const Json& json) {
  std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << std::endl;
}

}  // namespace sluice::cli
