// Errors on the wire.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sluiced::rpc {

// The payloads of server/common/errors.h become the details of a google.rpc.Status
// (sluice/v1/status.proto) in grpc-status-details-bin. Texts are cut to what a
// trailer may hold. `request_id`, unless empty, is a detail too.
grpc::Status ToGrpc(const absl::Status& status, absl::string_view request_id = "");

}  // namespace sluiced::rpc
