// From the data's space to the one that the layers work in: each column's support,
// then the standardisation.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "server/flows/flow.h"
#include "server/flows/transform.h"

namespace sluiced::flows {

// Immutable, thread-safe.
class DataMap {
 public:
  DataMap(const FlowSpec& spec, const Standardization& standardization);

  // x [n, dim]. Outside of its column's support a value maps to NaN, and the row's
  // ladj is -inf.
  Image ToFlow(const torch::Tensor& x) const;
  // Rounding never takes x out of an open support.
  Image FromFlow(const torch::Tensor& u) const;
  // [n, context_dim]
  torch::Tensor Context(const torch::Tensor& context) const;

 private:
  // Columns that are mapped alike.
  struct Group {
    Support support;
    bool affine;  // An interval under a uniform base.
    torch::Tensor columns, low, high;
    double least = 0;               // Of kPositive: the least number that stands for one.
    torch::Tensor lowest, highest;  // Of kInterval: the outermost numbers inside.
  };
  Group MakeGroup(Support support, const std::vector<Column>& columns) const;
  Image ToReal(const Group& group, const torch::Tensor& x) const;
  Image FromReal(const Group& group, const torch::Tensor& u) const;

  const FlowSpec spec_;
  std::vector<Group> groups_;
  torch::Tensor shift_, scale_;                  // [dim]; undefined without standardisation.
  torch::Tensor context_shift_, context_scale_;  // [context_dim]; likewise.
  double standardization_ladj_ = 0;              // -sum log scale
};

}  // namespace sluiced::flows
