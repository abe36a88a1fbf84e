// The distribution of z, in LibTorch.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "server/flows/transform.h"

namespace sluiced::flows {

// Immutable, thread-safe. `views` are Bind's.
class BaseDensity {
 public:
  explicit BaseDensity(const FlowSpec& spec);

  Views Bind(const torch::Tensor& parameters) const;
  torch::Tensor LogProb(const Views& views, const torch::Tensor& z) const;  // [n], nats.
  // Draws z [n, dim] made of standard normal numbers [n, NormalColumns(spec)]. Gradients
  // flow to the parameters but for a mixture's logits, whose choice has none.
  torch::Tensor FromNormals(const Views& views, const torch::Tensor& normals) const;

 private:
  torch::Tensor LogProbOfColumns(const Views& views, const torch::Tensor& z) const;

  const FlowSpec spec_;
  const std::vector<ParameterSlice> slices_;
  torch::Tensor periodic_;  // Indices of the periodic columns, and of the others;
  torch::Tensor others_;    // undefined where none is periodic.
};

}  // namespace sluiced::flows
