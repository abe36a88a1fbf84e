// FlowGradients: a flow as a training sees it, whatever computes it. No LibTorch
// here.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "server/common/array.h"
#include "server/flows/flow.h"

namespace sluiced::training {

// Not thread-safe: one per run. `parameters` are [ParameterCount(spec)], rows
// [n, RowColumns(spec)], all of the spec's dtype. What overflows is inf or NaN in the results.
// Throws what LibTorch throws.
class FlowGradients {
 public:
  virtual ~FlowGradients() = default;

  // Mean of -log q over the rows x, in nats, and, unless it is null, its gradient by
  // the parameters. A `gradient` of their shape and dtype is written in place.
  virtual double NegativeLogLikelihood(const Array& parameters, const Array& x,
                                       Array* gradient) = 0;

  // log q of the rows x, in nats.
  virtual std::vector<double> LogProb(const Array& parameters, const Array& x) = 0;

  // Draws of the flow, made of standard normal numbers [n, NormalColumns(spec)]; of
  // flows without context.
  struct Images {
    std::vector<double> x;      // [n, dim]
    std::vector<double> log_q;  // [n], at x.
  };
  virtual Images FromNormals(const Array& parameters, const Array& normals) = 0;

  // d log p / dx of rows x into slope, both [rows, dim], the first of them at
  // first_row among all rows of the call. Called on several threads at once.
  using SlopeFunction =
      std::function<void(size_t first_row, std::span<const double> x, std::span<double> slope)>;
  enum class Score {
    kKeep,
    // Of log q at parameters held fixed, so that only x carries a gradient: the term
    // left out has mean zero, and its noise would not vanish at the optimum (Roeder,
    // Wu and Duvenaud 2017, arXiv:1703.09194).
    kDrop,
  };
  // Mean of log q at the draws x, and the gradient of the mean of log q(x) - log p(x)
  // along their path; a mixture's choice of components has none. Asks `slope` once for
  // every row.
  virtual double ReverseKl(const Array& parameters, const Array& normals, Score score,
                           const SlopeFunction& slope, Array* gradient) = 0;
};

// On the executor that the spec names; autograd is LibTorch's. The engine uses so many
// threads, the caller's among them; bits do not depend on their number.
std::unique_ptr<FlowGradients> MakeGradients(const flows::FlowSpec& spec,
                                             const flows::Standardization& standardization,
                                             int threads);
std::unique_ptr<FlowGradients> MakeEngineGradients(const flows::FlowSpec& spec,
                                                   const flows::Standardization& standardization,
                                                   int threads);
std::unique_ptr<FlowGradients> MakeTorchGradients(const flows::FlowSpec& spec,
                                                  const flows::Standardization& standardization);

}  // namespace sluiced::training
