#include "server/rpc/train_payload.h"

#include <nlohmann/json.hpp>

#include "server/common/status_macros.h"

namespace sluiced::rpc {

std::string ToJson(const TrainPayload& payload) {
  nlohmann::json object;
  object["dataset"] = payload.dataset;
  object["target"] = payload.target;
  object["continue_from"] = payload.continue_from;
  object["start_from"] = payload.start_from;
  object["weight_column"] = payload.weight_column;
  object["config"] = training::ToJson(payload.config);
  return object.dump();
}

absl::StatusOr<TrainPayload> PayloadFromJson(absl::string_view json) {
  const auto object =
      nlohmann::json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  const auto text = [&object](const char* key) {
    const bool there = object.is_object() && object.contains(key) && object[key].is_string();
    return there ? object[key].get<std::string>() : std::string();
  };
  TrainPayload payload{.dataset = text("dataset"),
                       .target = text("target"),
                       .continue_from = text("continue_from"),
                       .start_from = text("start_from"),
                       .weight_column = -1,
                       .config = {}};
  if (object.is_object() && object.contains("weight_column") &&
      object["weight_column"].is_number_integer()) {
    payload.weight_column = object["weight_column"].get<int64_t>();
  }
  ASSIGN_OR_RETURN(payload.config, training::ConfigFromJson(text("config")));
  return payload;
}

}  // namespace sluiced::rpc
