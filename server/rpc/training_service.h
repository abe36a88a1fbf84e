// sluice.v1.TrainingService: train jobs and the targets they may fit.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "server/rpc/runtime.h"

namespace sluiced::rpc {

std::unique_ptr<grpc::Service> MakeTrainingService(const Runtime& runtime);

}  // namespace sluiced::rpc
