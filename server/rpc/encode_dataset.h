// Datasets to the wire.
#pragma once

#include "absl/status/status.h"
#include "server/store/records.h"
#include "sluice/v1/dataset.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

// INTERNAL where the store holds what cannot be read.
absl::Status EncodeDataset(const store::DatasetRecord& dataset, v1::Dataset* out);

}  // namespace sluiced::rpc
