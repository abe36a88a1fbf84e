#include "server/training/progress.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace sluiced::training {
namespace {

using nlohmann::json;

template <typename Target, typename Visit>
void ForEachTargetField(Target& target, Visit visit) {
  visit("kl", target.kl);
  visit("log_z_estimate", target.log_z_estimate);
  visit("log_z_error", target.log_z_error);
  visit("ess_fraction", target.ess_fraction);
  visit("log_z_known", target.log_z_known);
}

template <typename P, typename Visit>
void ForEachField(P& progress, Visit visit) {
  visit("message", progress.message);
  visit("epoch", progress.epoch);
  visit("epochs", progress.epochs);
  visit("step", progress.step);
  visit("train_loss", progress.train_loss);
  visit("validation_loss", progress.validation_loss);
  visit("best_loss", progress.best_loss);
  visit("best_epoch", progress.best_epoch);
  visit("learning_rate", progress.learning_rate);
  visit("gradient_norm", progress.gradient_norm);
  visit("rows_per_second", progress.rows_per_second);
  visit("seconds_left", progress.seconds_left);
}

// JSON has no infinities; those travel as strings.
json Number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

double ToNumber(const json& value) {
  if (!value.is_string()) return value.get<double>();
  const auto& name = value.get_ref<const std::string&>();
  return name == "inf" ? INFINITY : name == "-inf" ? -INFINITY : NAN;
}

struct Writer {
  json& object;
  void operator()(const char* key, const std::string& field) {
    if (!field.empty()) object[key] = field;
  }
  void operator()(const char* key, int64_t field) { object[key] = field; }
  void operator()(const char* key, double field) { object[key] = Number(field); }
  void operator()(const char* key, const std::optional<double>& field) {
    if (field) object[key] = Number(*field);
  }
};

struct Reader {
  const json& object;
  void operator()(const char* key, std::string& field) {
    if (object.contains(key)) object.at(key).get_to(field);
  }
  void operator()(const char* key, int64_t& field) {
    if (object.contains(key)) object.at(key).get_to(field);
  }
  void operator()(const char* key, double& field) {
    if (object.contains(key)) field = ToNumber(object.at(key));
  }
  void operator()(const char* key, std::optional<double>& field) {
    if (object.contains(key)) field = ToNumber(object.at(key));
  }
};

}  // namespace

std::string ToJson(const Progress& progress) {
  json object = json::object();
  ForEachField(progress, Writer{object});
  if (progress.target) {
    json& target = object["target"] = json::object();
    ForEachTargetField(*progress.target, Writer{target});
  }
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

absl::StatusOr<Progress> ProgressFromJson(absl::string_view text) {
  try {
    const json object = json::parse(text.begin(), text.end());
    if (!object.is_object()) return absl::InvalidArgumentError("progress: not an object");
    Progress progress;
    ForEachField(progress, Reader{object});
    if (object.contains("target")) {
      ForEachTargetField(progress.target.emplace(), Reader{object.at("target")});
    }
    return progress;
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("progress: ", error.what()));
  }
}

}  // namespace sluiced::training
