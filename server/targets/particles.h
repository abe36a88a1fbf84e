// Particles of a sequential Monte Carlo run: points, and what two densities say of them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "server/common/philox.h"
#include "server/targets/target.h"

namespace sluiced::targets {

// They follow start^(1 - power) target^power, where start is a normal density as wide as
// the target's box.
class Particles {
 public:
  // At power 0.
  Particles(const Target& target, int64_t count, uint64_t seed);

  double power() const { return power_; }
  const std::vector<double>& x() const { return x_; }  // [count, dim]

  // The highest power, 1 at most, at which the importance weights of those that stand on
  // the target's support are still worth half as many.
  double NextPower() const;
  // Chooses particles by their weights at `power` (systematic resampling) and goes there.
  // Returns the mean weight, as a logarithm: -inf where none has any, and nothing changed.
  double RaiseTo(double power);
  // Moves each by Hamiltonian Monte Carlo, of a step length that is learnt as it goes.
  absl::Status Move(const std::function<absl::Status()>& keep_going);

 private:
  // Some particles on their way: positions, momenta and gradients [n, dim].
  struct Flight {
    std::vector<double> x, momentum, gradient, log_start, log_p, step;

    void Kick(double share, const std::vector<double>& scale);
    void Drift(const std::vector<double>& scale);
  };

  std::vector<double> LogWeights(double power) const;
  // The gradient is of the density at the power.
  void Evaluate(std::span<const double> x, std::span<double> log_start, std::span<double> log_p,
                std::span<double> gradient) const;
  void Take(const std::vector<size_t>& rows);
  void TakeScales();
  int64_t MoveBlock(size_t first, size_t count);
  Flight Start(size_t first, size_t count);
  void Fly(Flight* flight) const;
  std::vector<double> EnergyOf(const Flight& flight) const;

  const Target& target_;
  const size_t count_, dim_;
  std::vector<double> centre_, width_;  // Of the start, by column.
  double log_start_peak_ = 0;
  PhiloxReader random_;
  double power_ = 0;
  double step_ = 0.3;          // In units of scale_.
  std::vector<double> scale_;  // Standard deviations of the particles, by column.
  std::vector<double> x_, log_start_, log_p_;
};

}  // namespace sluiced::targets
