// RealNVP (Dinh, Sohl-Dickstein and Bengio 2017, arXiv:1605.08803) in LibTorch,
// as the differentiable function of one flat parameter tensor. The reference for
// every number in Sluice.
#pragma once

#include <torch/torch.h>

#include <array>
#include <vector>

#include "server/flows/flow.h"
#include "server/flows/flow_spec.h"

namespace sluiced::flows {

// Views into a flat parameter tensor, one conditioner a layer: what a layer
// multiplies with, and nothing of what it masks away. Cheap to copy; follows the
// tensor it was made of, and passes gradients to it.
class ConditionerViews {
 public:
  // The scale and the shift net of a layer, side by side along axis 0.
  struct Linear {
    torch::Tensor weight;  // [2, in, out]
    torch::Tensor bias;    // [2, 1, out]
  };

  ConditionerViews(const FlowSpec& spec, const torch::Tensor& parameters);

  const std::vector<Linear>& layer(int64_t index) const {
    return layers_[static_cast<size_t>(index)];
  }

 private:
  std::vector<std::vector<Linear>> layers_;
};

// Immutable, thread-safe. Honours autograd and inference mode as the caller sets
// them. Parameters are an argument: [ParameterCount(spec)] of the spec's dtype;
// gradients flow to it and to the points.
class RealNvp {
 public:
  RealNvp(const FlowSpec& spec, const Standardization& standardization);

  struct Result {
    torch::Tensor values;               // [n, dim]
    torch::Tensor ladj;                 // [n]
    std::vector<torch::Tensor> layers;  // When asked for; as Images::layers.
  };
  Result ToBase(const torch::Tensor& parameters, const torch::Tensor& x,
                KeepLayers keep = KeepLayers::kNo) const;
  Result FromBase(const torch::Tensor& parameters, const torch::Tensor& z,
                  KeepLayers keep = KeepLayers::kNo) const;

  // The same with views made once for many calls.
  Result ToBase(const ConditionerViews& conditioners, const torch::Tensor& x,
                KeepLayers keep = KeepLayers::kNo) const;
  Result FromBase(const ConditionerViews& conditioners, const torch::Tensor& z,
                  KeepLayers keep = KeepLayers::kNo) const;

  // log q(x) = log N(z; 0, I) + ladj, [n]. May be NaN on overflow: training looks
  // at it; Flow::LogProb maps it to -inf.
  torch::Tensor LogProb(const torch::Tensor& parameters, const torch::Tensor& x) const;
  torch::Tensor LogProb(const ConditionerViews& conditioners, const torch::Tensor& x) const;

  const FlowSpec& spec() const { return spec_; }

 private:
  // The first floor(dim/2) columns, and the rest: layers transform them in turn.
  using Halves = std::array<torch::Tensor, 2>;
  struct ScaleAndShift {
    torch::Tensor scale;  // log-scale, [n, transformed columns], bounded.
    torch::Tensor shift;
  };

  Halves Split(const torch::Tensor& points) const;
  bool Transforms(int64_t layer) const;
  ScaleAndShift Condition(const ConditionerViews& conditioners, int64_t layer,
                          const torch::Tensor& conditioning) const;
  torch::Tensor SumScales(const std::vector<torch::Tensor>& scales,
                          const torch::Tensor& points) const;

  FlowSpec spec_;
  torch::Tensor shift_, scale_;      // [dim], undefined without standardisation.
  double standardization_ladj_ = 0;  // -sum log scale
};

// log N(z; 0, I), [n].
torch::Tensor StandardNormalLogProb(const torch::Tensor& z);

}  // namespace sluiced::flows
