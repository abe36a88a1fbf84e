// Between Array and torch::Tensor. Private to the training: includes LibTorch.
#pragma once

#include <torch/torch.h>

#include <cstring>

#include "server/common/array.h"

namespace sluiced::training {

inline torch::ScalarType TypeOf(DType dtype) {
  return dtype == DType::kFloat32 ? torch::kFloat32 : torch::kFloat64;
}

// Both copy.
inline torch::Tensor ToTensor(const Array& array) {
  torch::Tensor tensor = torch::empty(array.shape(), TypeOf(array.dtype()));
  if (array.size() > 0) std::memcpy(tensor.data_ptr(), array.bytes().data(), array.bytes().size());
  return tensor;
}

inline Array ToArray(const torch::Tensor& tensor) {
  const torch::Tensor whole = tensor.detach().contiguous();
  Array array(whole.scalar_type() == torch::kFloat64 ? DType::kFloat64 : DType::kFloat32,
              whole.sizes().vec());
  if (array.size() > 0) std::memcpy(array.bytes().data(), whole.data_ptr(), array.bytes().size());
  return array;
}

}  // namespace sluiced::training
