// Flow specs of strangers.
#pragma once

#include "absl/status/statusor.h"
#include "server/flows/flow_spec.h"
#include "sluice/v1/flow.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

// Valid, with the defaults of flow.proto. INVALID_ARGUMENT naming the field
// ("layers").
absl::StatusOr<flows::FlowSpec> DecodeSpec(const v1::FlowSpec& in);

}  // namespace sluiced::rpc
