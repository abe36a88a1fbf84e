// Arrays to the wire.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include "absl/time/time.h"
#include "server/common/array.h"
#include "sluice/v1/tensor.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

v1::DType EncodeDType(DType dtype);
void EncodeTensor(const Array& array, v1::Tensor* out);
void EncodeTime(absl::Time time, google::protobuf::Timestamp* out);

}  // namespace sluiced::rpc
