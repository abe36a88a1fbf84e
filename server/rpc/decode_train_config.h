// Training settings of strangers.
#pragma once

#include "absl/status/statusor.h"
#include "server/training/train_config.h"
#include "sluice/v1/training.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

// Valid for the objective, with the defaults of training.proto. INVALID_ARGUMENT
// naming the field ("learning_rate"). `continue_from` is left to the caller.
absl::StatusOr<training::TrainConfig> DecodeTrainConfig(const v1::TrainConfig& in,
                                                        training::Objective objective);

}  // namespace sluiced::rpc
