// The rows of a stored dataset, as a stream of its chunks.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "server/rpc/write_reactor.h"
#include "server/store/store.h"
#include "sluice/v1/dataset.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

// Ends with ABORTED when the dataset is deleted meanwhile.
absl::StatusOr<std::unique_ptr<Source<v1::RowChunk>>> StreamDataset(
    store::Store* store, const v1::DownloadDatasetRequest& request);

}  // namespace sluiced::rpc
