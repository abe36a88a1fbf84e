// sluice.v1.ModelService: models, their versions and aliases, files of them.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "server/rpc/runtime.h"

namespace sluiced::rpc {

std::unique_ptr<grpc::Service> MakeModelService(const Runtime& runtime);

}  // namespace sluiced::rpc
