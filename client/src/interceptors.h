// What is done to every call of a channel, before it leaves.
#pragma once

#include <grpcpp/support/client_interceptor.h>

#include <memory>
#include <string>

#include "sluice/result.h"

namespace sluice {

using InterceptorFactory = std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>;

// Sends the token along, as `authorization: Bearer TOKEN`. gRPC's call credentials
// would do so over TLS only, not to this machine.
InterceptorFactory SendToken(const std::string& token);

// Sends a `traceparent` along.
InterceptorFactory SendTraceparent(const std::string& traceparent);

// Ends every call with `status`; nothing leaves.
InterceptorFactory FailWith(const Status& status);

}  // namespace sluice
