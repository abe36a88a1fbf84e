// TrainPayload: what a train job's record says is to be run.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/training/train_config.h"

namespace sluiced::rpc {

struct TrainPayload {
  // Ids; one of the two, or both, which mixes them.
  std::string dataset;
  std::string target;
  std::string continue_from;   // Id of a train job, or empty.
  std::string start_from;      // models/{model}/versions/{n}, or empty.
  int64_t weight_column = -1;  // Of the dataset; -1: none.
  training::TrainConfig config;
};

// The form in which jobs are stored.
std::string ToJson(const TrainPayload& payload);
absl::StatusOr<TrainPayload> PayloadFromJson(absl::string_view json);

}  // namespace sluiced::rpc
