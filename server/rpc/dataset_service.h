// sluice.v1.DatasetService: tables of rows, uploaded or generated.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "server/rpc/runtime.h"

namespace sluiced::rpc {

std::unique_ptr<grpc::Service> MakeDatasetService(const Runtime& runtime);

}  // namespace sluiced::rpc
