// sluice.v1.InferenceService: log-probabilities, samples and transforms.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "server/rpc/runtime.h"

namespace sluiced::rpc {

std::unique_ptr<grpc::Service> MakeInferenceService(const Runtime& runtime);

}  // namespace sluiced::rpc
