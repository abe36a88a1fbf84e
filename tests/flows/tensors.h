// Arrays as tensors and back.
#pragma once

#include <torch/torch.h>

#include <cstring>

#include "server/common/array.h"

namespace sluiced::flows {

inline torch::Tensor TensorOf(const Array& array) {
  const auto type = array.dtype() == DType::kFloat32 ? torch::kFloat32 : torch::kFloat64;
  torch::Tensor tensor = torch::empty(array.shape(), type);
  // An empty one has no address to copy from.
  if (array.size() > 0) {
    std::memcpy(tensor.data_ptr(), array.bytes().data(), array.bytes().size());
  }
  return tensor;
}

inline Array ArrayOf(const torch::Tensor& tensor) {
  const torch::Tensor numbers = tensor.detach().contiguous();
  Array array(numbers.scalar_type() == torch::kFloat32 ? DType::kFloat32 : DType::kFloat64,
              numbers.sizes().vec());
  if (array.size() > 0) {
    std::memcpy(array.bytes().data(), numbers.data_ptr(), array.bytes().size());
  }
  return array;
}

}  // namespace sluiced::flows
