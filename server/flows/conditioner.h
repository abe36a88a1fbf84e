// The nets that layers take their maps' parameters from.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "server/flows/transform.h"

namespace sluiced::flows {

// A fully connected net with LeakyReLU(0.01) between its maps; from every column of a
// range (a periodic one as cosine and sine) and the context, to OutputsOf numbers.
// Masked for autoregressive layers: Germain et al. 2015, arXiv:1502.03509.
class Conditioner {
 public:
  // Of a layer of any architecture but real-nvp.
  Conditioner(const FlowSpec& spec, int64_t layer);

  Views Bind(const torch::Tensor& parameters) const;  // Weights as [in, out], and biases.
  // columns: [n, the conditioning range]. Result: [n, outputs].
  torch::Tensor Outputs(const Views& views, const torch::Tensor& columns, const Given& given) const;

 private:
  void MakeMasks(const FlowSpec& spec, int64_t layer);
  torch::Tensor Features(const torch::Tensor& columns) const;

  std::vector<ParameterSlice> slices_;
  std::vector<torch::Tensor> masks_;  // [out, in] of each map; empty: all ones.
  std::vector<bool> periodic_;        // Of each column of the range.
  double angle_;                      // Of one unit of a periodic column.
};

inline constexpr double kLeakySlope = 0.01;  // torch.nn.LeakyReLU's default.

}  // namespace sluiced::flows
