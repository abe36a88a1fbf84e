// PointwiseTarget: a target given by its log-density at one point; and the few
// pieces that several targets share.
#pragma once

#include <span>

#include "server/targets/target.h"

namespace sluiced::targets {

class PointwiseTarget : public Target {
 public:
  using Target::Target;
  void Evaluate(std::span<const double> x, std::span<double> log_density,
                std::span<double> gradient) const final;
  void EvaluateContinued(std::span<const double> x, std::span<double> log_density,
                         std::span<double> gradient) const final;

 protected:
  // The log-density at the finite point x [dim], its gradient written to
  // `gradient` [dim]. Overflow may end in inf or NaN: Evaluate makes it -inf with a
  // zero gradient.
  virtual double At(std::span<const double> x, std::span<double> gradient) const = 0;
  // What EvaluateContinued gives; At unless the support is bounded.
  virtual double ContinuedAt(std::span<const double> x, std::span<double> gradient) const;
};

// log(exp(a) + exp(b)) and the share of exp(a) in the sum, for finite a and b.
struct LogSum {
  double value;
  double first_share;
};
LogSum LogAddExp(double a, double b);

}  // namespace sluiced::targets
