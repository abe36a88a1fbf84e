// ServerService: see sluice/v1/server.proto.
#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>

#include "server/rpc/runtime.h"

namespace sluiced::rpc {

std::unique_ptr<grpc::Service> MakeServerService(const Runtime& runtime);

}  // namespace sluiced::rpc
