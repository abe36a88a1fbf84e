// Targets: unnormalised densities with their gradients, and log Z where it is
// known. No LibTorch here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluiced::targets {

// Immutable, thread-safe, pure: never changes its argument.
class Target {
 public:
  virtual ~Target() = default;

  const std::string& name() const { return name_; }
  const std::string& description() const { return description_; }
  int64_t dim() const { return static_cast<int64_t>(low_.size()); }
  std::optional<double> log_z() const { return log_z_; }
  // A box that holds nearly all of the mass, for plots and quadrature.
  const std::vector<double>& low() const { return low_; }
  const std::vector<double>& high() const { return high_; }

  // For rows x [n, dim], row-major: log_density [n] (-inf off the support) and,
  // unless it is empty, gradient [n, dim] of it; finite wherever log_density is,
  // zero where it is -inf.
  virtual void Evaluate(std::span<const double> x, std::span<double> log_density,
                        std::span<double> gradient) const = 0;

  // Evaluate on the support; off it continued by a steep wall, finite, with a
  // gradient that leads back. Reverse KL trains on this: a flow always has a little
  // mass off a bounded support, where the divergence is infinite and has no
  // gradient. The same as Evaluate where the support is the whole space.
  virtual void EvaluateContinued(std::span<const double> x, std::span<double> log_density,
                                 std::span<double> gradient) const = 0;

 protected:
  Target(std::string name, std::string description, std::optional<double> log_z,
         std::vector<double> low, std::vector<double> high);

 private:
  std::string name_, description_;
  std::optional<double> log_z_;
  std::vector<double> low_, high_;
};

// Every built-in target, in listing order. Live for the process.
std::span<const Target* const> AllTargets();
// By id ("seed-moons"). NOT_FOUND, listing what there is.
absl::StatusOr<const Target*> FindTarget(absl::string_view name);

}  // namespace sluiced::targets
