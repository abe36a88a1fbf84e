// Headers: what the metadata of a call says of the call itself.
#pragma once

#include <grpcpp/server_context.h>

#include <optional>
#include <string>

#include "server/observe/trace_context.h"

namespace sluiced::rpc {

inline constexpr char kRequestIdHeader[] = "x-request-id";

// The caller's own x-request-id where it is one that may be shown, else a new one.
std::string RequestIdOf(const grpc::CallbackServerContext& context);

// Of the one valid traceparent; nullopt without.
std::optional<observe::TraceContext> TraceOf(const grpc::CallbackServerContext& context);

}  // namespace sluiced::rpc
