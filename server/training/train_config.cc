#include "server/training/train_config.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"

namespace sluiced::training {
namespace {

using nlohmann::json;

constexpr int64_t kMaxEpochs = 10'000'000;
constexpr int64_t kMaxRows = 100'000'000;
constexpr int64_t kMaxSnapshots = 10'000;

absl::Status CheckCount(absl::string_view field, int64_t value, int64_t low, int64_t high) {
  if (low <= value && value <= high) return absl::OkStatus();
  return FieldError(field, absl::StrCat("must be between ", low, " and ", high, ", got ", value));
}

absl::Status CheckReal(absl::string_view field, double value, bool legal,
                       absl::string_view requirement) {
  if (std::isfinite(value) && legal) return absl::OkStatus();
  return FieldError(field, absl::StrCat("must be ", requirement, ", got ", value));
}

absl::Status CheckRate(absl::string_view field, double value) {
  return CheckReal(field, value, value > 0, "positive");
}

absl::Status CheckStages(const std::vector<Stage>& stages) {
  if (stages.empty()) return FieldError("stages", "the schedule of stages needs at least one");
  int64_t total = 0;
  for (size_t i = 0; i < stages.size(); ++i) {
    const std::string path = absl::StrCat("stages[", i, "]");
    RETURN_IF_ERROR(
        CheckCount(absl::StrCat(path, ".epochs"), stages[i].epochs, 1, kMaxEpochs - total));
    total += stages[i].epochs;
    RETURN_IF_ERROR(CheckRate(absl::StrCat(path, ".learning_rate"), stages[i].learning_rate));
  }
  return absl::OkStatus();
}

absl::Status CheckSchedule(const TrainConfig& config) {
  if (config.schedule == Schedule::kStages) return CheckStages(config.stages);
  if (!config.stages.empty()) {
    return FieldError("stages", "given, but the schedule is not one of stages");
  }
  RETURN_IF_ERROR(CheckCount("epochs", config.epochs, 1, kMaxEpochs));
  if (config.schedule == Schedule::kSteps) {
    RETURN_IF_ERROR(CheckCount("step_epochs", config.step_epochs, 1, kMaxEpochs));
    RETURN_IF_ERROR(CheckReal("step_factor", config.step_factor,
                              config.step_factor > 0 && config.step_factor <= 1, "in (0, 1]"));
  }
  if (config.schedule == Schedule::kCosine) {
    RETURN_IF_ERROR(CheckReal("final_learning_rate", config.final_learning_rate,
                              config.final_learning_rate >= 0, "at least 0"));
  }
  return absl::OkStatus();
}

absl::Status CheckOptimizer(const TrainConfig& config) {
  RETURN_IF_ERROR(CheckRate("learning_rate", config.learning_rate));
  for (const auto& [field, beta] :
       {std::pair<absl::string_view, double>{"beta1", config.beta1}, {"beta2", config.beta2}}) {
    RETURN_IF_ERROR(CheckReal(field, beta, beta >= 0 && beta < 1, "in [0, 1)"));
  }
  RETURN_IF_ERROR(CheckRate("epsilon", config.epsilon));
  RETURN_IF_ERROR(
      CheckReal("weight_decay", config.weight_decay, config.weight_decay >= 0, "at least 0"));
  return CheckReal("clip_norm", config.clip_norm, config.clip_norm >= 0, "at least 0");
}

absl::Status CheckTarget(const TrainConfig& config) {
  RETURN_IF_ERROR(CheckCount("rows", config.rows, 1, kMaxRows));
  RETURN_IF_ERROR(CheckReal("target_weight", config.target_weight,
                            config.target_weight > 0 && config.target_weight < 1, "in (0, 1)"));
  RETURN_IF_ERROR(CheckReal("anneal_from", config.anneal_from,
                            config.anneal_from > 0 && config.anneal_from <= 1, "in (0, 1]"));
  if (config.anneal_epochs > 0 && config.anneal_from == 1) {
    return FieldError("anneal_epochs", "is without effect unless anneal_from is below 1");
  }
  return CheckCount("anneal_epochs", config.anneal_epochs, 0, kMaxEpochs);
}

// Calls visit(name, field) for every field but the enums and the stages.
template <typename Config, typename Visit>
void ForEachField(Config& config, Visit visit) {
  visit("epochs", config.epochs);
  visit("batch_size", config.batch_size);
  visit("learning_rate", config.learning_rate);
  visit("beta1", config.beta1);
  visit("beta2", config.beta2);
  visit("epsilon", config.epsilon);
  visit("weight_decay", config.weight_decay);
  visit("step_epochs", config.step_epochs);
  visit("step_factor", config.step_factor);
  visit("final_learning_rate", config.final_learning_rate);
  visit("clip_norm", config.clip_norm);
  visit("seed", config.seed);
  visit("validation_fraction", config.validation_fraction);
  visit("patience", config.patience);
  visit("shuffle", config.shuffle);
  visit("publish_last", config.publish_last);
  visit("rows", config.rows);
  visit("fixed_draws", config.fixed_draws);
  visit("drop_score", config.drop_score);
  visit("snapshots", config.snapshots);
  visit("target_weight", config.target_weight);
  visit("anneal_from", config.anneal_from);
  visit("anneal_epochs", config.anneal_epochs);
}

constexpr std::array<absl::string_view, 2> kOptimizers = {"adam", "adamw"};
constexpr std::array<absl::string_view, 3> kDegenerates = {"refuse", "dequantize", "allow"};
constexpr std::array<absl::string_view, 4> kSchedules = {"constant", "cosine", "steps", "stages"};

template <typename Enum, size_t kCount>
absl::Status ReadEnum(const json& object, const char* key,
                      const std::array<absl::string_view, kCount>& names, Enum* out) {
  if (!object.contains(key)) return absl::OkStatus();
  const std::string name = object.at(key).get<std::string>();
  for (size_t i = 0; i < kCount; ++i) {
    if (names[i] == absl::string_view(name)) {
      *out = static_cast<Enum>(i);
      return absl::OkStatus();
    }
  }
  return FieldError(key, absl::StrCat("unknown: ", name));
}

absl::StatusOr<TrainConfig> FromObject(const json& object) {
  TrainConfig config;
  ForEachField(config, [&](const char* key, auto& field) {
    if (object.contains(key)) object.at(key).get_to(field);
  });
  RETURN_IF_ERROR(ReadEnum(object, "optimizer", kOptimizers, &config.optimizer));
  RETURN_IF_ERROR(ReadEnum(object, "schedule", kSchedules, &config.schedule));
  RETURN_IF_ERROR(ReadEnum(object, "degenerate", kDegenerates, &config.degenerate));
  if (object.contains("stages")) {
    for (const json& stage : object.at("stages")) {
      config.stages.push_back({stage.at("epochs"), stage.at("learning_rate")});
    }
  }
  return config;
}

}  // namespace

absl::Status Validate(const TrainConfig& config, Objective objective) {
  RETURN_IF_ERROR(CheckSchedule(config));
  RETURN_IF_ERROR(CheckOptimizer(config));
  RETURN_IF_ERROR(CheckCount("batch_size", config.batch_size, 1, kMaxRows));
  RETURN_IF_ERROR(CheckCount("patience", config.patience, 0, kMaxEpochs));
  RETURN_IF_ERROR(CheckCount("snapshots", config.snapshots, -1, kMaxSnapshots));
  if (objective != Objective::kMaximumLikelihood) RETURN_IF_ERROR(CheckTarget(config));
  if (objective == Objective::kReverseKl) return absl::OkStatus();
  return CheckReal("validation_fraction", config.validation_fraction,
                   config.validation_fraction >= 0 && config.validation_fraction < 1, "in [0, 1)");
}

std::string ToJson(const TrainConfig& config) {
  json object;
  ForEachField(config, [&](const char* key, const auto& field) { object[key] = field; });
  object["optimizer"] = std::string(kOptimizers[static_cast<size_t>(config.optimizer)]);
  object["schedule"] = std::string(kSchedules[static_cast<size_t>(config.schedule)]);
  object["degenerate"] = std::string(kDegenerates[static_cast<size_t>(config.degenerate)]);
  object["stages"] = json::array();
  for (const Stage& stage : config.stages) {
    object["stages"].push_back({{"epochs", stage.epochs}, {"learning_rate", stage.learning_rate}});
  }
  return object.dump();
}

absl::StatusOr<TrainConfig> ConfigFromJson(absl::string_view text) {
  try {
    const json object = json::parse(text.begin(), text.end());
    if (!object.is_object()) return absl::InvalidArgumentError("train config: not an object");
    return FromObject(object);
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("train config: ", error.what()));
  }
}

}  // namespace sluiced::training
