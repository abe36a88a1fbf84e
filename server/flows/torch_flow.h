// TorchFlow: a whole flow in LibTorch, as the differentiable function of one flat
// parameter tensor. The reference for every number in Sluice.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "server/flows/base.h"
#include "server/flows/data_map.h"
#include "server/flows/flow.h"
#include "server/flows/flow_spec.h"
#include "server/flows/transform.h"

namespace sluiced::flows {

// Immutable, thread-safe. Honours autograd and inference mode as the caller sets
// them; gradients flow to the parameters and to the points.
class TorchFlow {
 public:
  TorchFlow(const FlowSpec& spec, const Standardization& standardization);

  // The parameters, ready to multiply with. Cheap to copy; follows the tensor that it
  // was made of.
  struct Bound {
    std::vector<std::vector<Views>> layers;  // Of each layer's transforms.
    Views scaling, base;
  };
  // parameters: [ParameterCount(spec)] of the spec's dtype.
  Bound Bind(const torch::Tensor& parameters) const;

  struct Result {
    torch::Tensor values;               // [n, dim]
    torch::Tensor ladj;                 // [n]
    std::vector<torch::Tensor> layers;  // When asked for; as Images::layers.
  };
  // Rows [n, dim + context_dim]: x or z, and its context.
  Result ToBase(const Bound& bound, const torch::Tensor& rows,
                KeepLayers keep = KeepLayers::kNo) const;
  Result FromBase(const Bound& bound, const torch::Tensor& rows,
                  KeepLayers keep = KeepLayers::kNo) const;

  // log q(x) = log base(z) + ladj, [n]. May be NaN on overflow: training looks at it;
  // Flow::LogProb maps it to -inf.
  torch::Tensor LogProb(const Bound& bound, const torch::Tensor& rows) const;

  const BaseDensity& base() const { return base_; }
  const FlowSpec& spec() const { return spec_; }

 private:
  // In the order of FromBase.
  using Layer = std::vector<std::unique_ptr<Transform>>;
  Layer MakeLayer(int64_t layer) const;
  torch::Tensor Points(const torch::Tensor& rows) const;
  Given GivenBy(const torch::Tensor& rows) const;

  const FlowSpec spec_;
  const DataMap data_;
  const BaseDensity base_;
  std::vector<Layer> layers_;
  std::unique_ptr<Transform> scaling_;  // Null unless nice.
};

}  // namespace sluiced::flows
