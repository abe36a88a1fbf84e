// Train jobs, their updates and targets to the wire.
#pragma once

#include "absl/status/status.h"
#include "server/rpc/train_payload.h"
#include "server/store/records.h"
#include "server/targets/target.h"
#include "sluice/v1/training.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

v1::JobState EncodeState(store::JobState state);
// Every setting with the value it has, defaults included.
void EncodeTrainConfig(const TrainPayload& payload, v1::TrainConfig* out);
// All but last_update, snapshot_epochs and queue_position, which the record does not
// hold. INTERNAL where the store holds what cannot be read.
absl::Status EncodeJob(const store::JobRecord& job, v1::TrainJob* out);
absl::Status EncodeUpdate(const store::UpdateRecord& update, v1::TrainUpdate* out);
void EncodeTarget(const targets::Target& target, v1::Target* out);

}  // namespace sluiced::rpc
