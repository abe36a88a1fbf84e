// From gRPC's status to the client's own.
#pragma once

#include <grpcpp/support/status.h>

#include "sluice/result.h"

namespace sluice {

// Reads the details that the server sends as a google.rpc.Status; details that do
// not parse, or are of kinds unknown here, are passed over.
Status FromGrpc(const grpc::Status& status);

// INVALID_ARGUMENT that never went to the server.
Status InvalidField(const std::string& field, const std::string& what);

// A reply that breaks the protocol: INTERNAL.
Status MalformedReply(const std::string& what);

}  // namespace sluice
