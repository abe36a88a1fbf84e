// A dataset that comes in parts: chunks of a file, or rows.
#pragma once

#include <memory>

#include "server/rpc/upload_reactor.h"
#include "sluice/v1/dataset.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

std::unique_ptr<Sink<v1::UploadDatasetRequest, v1::Dataset>> MakeDatasetUpload(
    const Runtime& runtime);

}  // namespace sluiced::rpc
