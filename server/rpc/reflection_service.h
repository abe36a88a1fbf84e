// grpc.reflection.v1alpha.ServerReflection: what the server speaks, for tools such as
// grpcurl.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "server/rpc/runtime.h"

namespace sluiced::rpc {

std::unique_ptr<grpc::Service> MakeReflectionService(const Runtime& runtime);

}  // namespace sluiced::rpc
