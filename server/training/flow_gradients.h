// FlowGradients: a flow as a training sees it, whatever computes it. No LibTorch
// here.
#pragma once

#include <memory>
#include <vector>

#include "server/common/array.h"
#include "server/flows/flow.h"

namespace sluiced::training {

// Not thread-safe: one per run. `parameters` are [ParameterCount(spec)], rows
// [n, dim], all of the spec's dtype. What overflows is inf or NaN in the results.
// Throws what LibTorch throws.
class FlowGradients {
 public:
  virtual ~FlowGradients() = default;

  // Mean of -log q over the rows x, in nats, and, unless it is null, its gradient
  // by the parameters.
  virtual double NegativeLogLikelihood(const Array& parameters, const Array& x,
                                       Array* gradient) = 0;

  struct Images {
    std::vector<double> x;      // [n, dim], of base rows z.
    std::vector<double> log_q;  // [n], at x.
  };
  virtual Images FromBase(const Array& parameters, const Array& z) = 0;

  // Gradient of mean(log q(x(z)) - log p(x(z))) along the path of z.
  enum class Score {
    kKeep,
    // Of log q at parameters held fixed, so that only x carries a gradient: the term
    // left out has mean zero, and its noise would not vanish at the optimum (Roeder,
    // Wu and Duvenaud 2017, arXiv:1703.09194).
    kDrop,
  };
  // As FromBase, and begins a gradient that EndPath ends: in between the caller
  // finds d log p / dx at x, `slope` [n, dim].
  virtual Images BeginPath(const Array& parameters, const Array& z) = 0;
  virtual void EndPath(const std::vector<double>& slope, Score score, Array* gradient) = 0;
};

// By LibTorch's autograd.
std::unique_ptr<FlowGradients> MakeTorchGradients(const flows::FlowSpec& spec,
                                                  const flows::Standardization& standardization);

}  // namespace sluiced::training
