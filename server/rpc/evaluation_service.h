// EvaluationService: sluice.v1.EvaluationService.
#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>

#include "server/rpc/runtime.h"

namespace sluiced::rpc {

std::unique_ptr<grpc::Service> MakeEvaluationService(const Runtime& runtime);

}  // namespace sluiced::rpc
