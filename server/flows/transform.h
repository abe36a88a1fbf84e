// Transform: one invertible piece of a flow in LibTorch, with the logarithm of its
// Jacobian's determinant. Pieces compose into a TorchFlow; a new kind is a file of
// its own, and a row in tests/flows/laws.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <span>
#include <vector>

#include "server/flows/parameters.h"

namespace sluiced::flows {

// A transform's own parameters, as it multiplies with them. They follow the tensor
// they were made of, and pass gradients to it.
using Views = std::vector<torch::Tensor>;

struct Image {
  torch::Tensor values;  // [n, dim]
  torch::Tensor ladj;    // [n], log|det J| of the map applied; undefined where it is 0.
};

// What a transform may condition on beside its own columns.
struct Given {
  torch::Tensor context;  // [n, context_dim]; undefined without context.
};

// Immutable, thread-safe. Honours autograd and inference mode as the caller sets them.
class Transform {
 public:
  virtual ~Transform() = default;

  // `parameters` is the flow's whole buffer.
  virtual Views Bind(const torch::Tensor& parameters) const = 0;

  virtual Image ToBase(const Views& views, const torch::Tensor& x, const Given& given) const = 0;
  virtual Image FromBase(const Views& views, const torch::Tensor& z, const Given& given) const = 0;
};

// Views of the slices, which lie one behind the other.
Views ViewsOf(std::span<const ParameterSlice> slices, const torch::Tensor& parameters);

torch::ScalarType ScalarTypeOf(DType dtype);
// s, or b*tanh(s/b) where the spec bounds log-scales by b.
torch::Tensor BoundedScale(const FlowSpec& spec, const torch::Tensor& s);
// The sum of two log-dets, either of which may be undefined.
torch::Tensor Plus(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace sluiced::flows
