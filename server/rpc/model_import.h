// A model file that comes in chunks.
#pragma once

#include <memory>

#include "server/rpc/upload_reactor.h"
#include "sluice/v1/model.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

std::unique_ptr<Sink<v1::ImportModelRequest, v1::Model>> MakeModelImport(const Runtime& runtime);

}  // namespace sluiced::rpc
