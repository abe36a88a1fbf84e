// The maps of one column at a time whose parameters a conditioner makes: additive,
// affine, and rational-quadratic spline.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "server/flows/transform.h"

namespace sluiced::flows {

// Immutable, thread-safe. Of some of a flow's columns.
class ColumnMaps {
 public:
  virtual ~ColumnMaps() = default;

  struct Result {
    torch::Tensor values;  // [n, columns]
    torch::Tensor ladj;    // [n, columns], log of the slopes; undefined where they are 1.
  };
  // outputs: [n, OutputsOf(columns)], column by column.
  virtual Result ToBase(const torch::Tensor& outputs, const torch::Tensor& x) const = 0;
  virtual Result FromBase(const torch::Tensor& outputs, const torch::Tensor& z) const = 0;
};

// Those of the spec's architecture, but real-nvp's, of these columns.
std::unique_ptr<ColumnMaps> MakeColumnMaps(const FlowSpec& spec, ColumnRange columns);
// z = spline(x): monotone rational-quadratic pieces on [-bound, bound], slope 1 at both
// ends and the identity beyond (Durkan et al. 2019, eqs. 4-8); periodic columns on the
// circle, with one learnt slope where its ends meet (Rezende et al. 2020,
// arXiv:2002.02428).
std::unique_ptr<ColumnMaps> MakeSplines(const FlowSpec& spec, ColumnRange columns);

}  // namespace sluiced::flows
