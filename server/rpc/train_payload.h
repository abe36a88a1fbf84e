// TrainPayload: what a train job's record says is to be run.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/training/train_config.h"

namespace sluiced::rpc {

struct TrainPayload {
  // Ids; one of the two.
  std::string dataset;
  std::string target;
  std::string continue_from;  // Id of a train job, or empty.
  training::TrainConfig config;
};

// The form in which jobs are stored.
std::string ToJson(const TrainPayload& payload);
absl::StatusOr<TrainPayload> PayloadFromJson(absl::string_view json);

}  // namespace sluiced::rpc
