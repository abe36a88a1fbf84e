// Train jobs of strangers, checked against what the store holds.
#pragma once

#include "absl/status/statusor.h"
#include "server/models/registry.h"
#include "server/store/store.h"
#include "sluice/v1/training.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

// A record for JobManager::Create whose payload is a TrainPayload: its model and
// dataset or target exist and fit each other, its settings are valid, the job it
// continues SUCCEEDED on the same model. INVALID_ARGUMENT naming the field
// ("train_job.config.epochs"), NOT_FOUND, or FAILED_PRECONDITION.
absl::StatusOr<store::JobRecord> DecodeTrainJob(const v1::CreateTrainJobRequest& in,
                                                models::Registry* registry, store::Store* store);

}  // namespace sluiced::rpc
