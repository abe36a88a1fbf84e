#include "server/rpc/encode_tensor.h"

namespace sluiced::rpc {

v1::DType EncodeDType(DType dtype) {
  return dtype == DType::kFloat32 ? v1::DTYPE_FLOAT32 : v1::DTYPE_FLOAT64;
}

void EncodeTensor(const Array& array, v1::Tensor* out) {
  out->Clear();
  out->mutable_shape()->Add(array.shape().begin(), array.shape().end());
  out->set_dtype(EncodeDType(array.dtype()));
  out->set_data(array.bytes().data(), array.bytes().size());
}

void EncodeTime(absl::Time time, google::protobuf::Timestamp* out) {
  const absl::Duration since_epoch = time - absl::UnixEpoch();
  const absl::Duration seconds = absl::Floor(since_epoch, absl::Seconds(1));
  out->set_seconds(absl::ToInt64Seconds(seconds));
  out->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(since_epoch - seconds)));
}

}  // namespace sluiced::rpc
