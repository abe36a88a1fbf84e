// RealNVP (Dinh, Sohl-Dickstein and Bengio 2017, arXiv:1605.08803) in LibTorch,
// as the differentiable function of one flat parameter tensor. The reference for
// every number in Sluice.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "server/flows/flow.h"
#include "server/flows/flow_spec.h"

namespace sluiced::flows {

// Immutable, thread-safe. Honours autograd and inference mode as the caller sets
// them. Parameters are an argument: [ParameterCount(spec)] of the spec's dtype;
// gradients flow to it and to the points.
class RealNvp {
 public:
  RealNvp(const FlowSpec& spec, const Standardization& standardization);

  struct Result {
    torch::Tensor values;               // [n, dim]
    torch::Tensor ladj;                 // [n]
    std::vector<torch::Tensor> layers;  // When asked for.
  };
  Result ToBase(const torch::Tensor& parameters, const torch::Tensor& x,
                KeepLayers keep = KeepLayers::kNo) const;
  Result FromBase(const torch::Tensor& parameters, const torch::Tensor& z,
                  KeepLayers keep = KeepLayers::kNo) const;

  // log q(x) = log N(z; 0, I) + ladj, [n]. May be NaN on overflow: training looks
  // at it; Flow::LogProb maps it to -inf.
  torch::Tensor LogProb(const torch::Tensor& parameters, const torch::Tensor& x) const;

  const FlowSpec& spec() const { return spec_; }

 private:
  friend class ConditionerViews;
  FlowSpec spec_;
  torch::Tensor shift_, scale_;      // [dim], undefined without standardisation.
  double standardization_ladj_ = 0;  // -sum log scale
};

// log N(z; 0, I), [n].
torch::Tensor StandardNormalLogProb(const torch::Tensor& z);

}  // namespace sluiced::flows
