// A ring of radius 2 times two Gaussian lobes in x1 at -2 and 2:
//   -0.5 ((|x| - 2) / ring_width)^2
//   + ln(exp(-0.5 ((x1 - 2) / lobe_width)^2) + exp(-0.5 ((x1 + 2) / lobe_width)^2)).
// The widths (0.2, 0.3) give the smooth two moons, (0.4, 0.6) U1 of Rezende and
// Mohamed.
#pragma once

#include <cmath>
#include <string>
#include <utility>

#include "server/targets/pointwise.h"

namespace sluiced::targets {

class LobedRing final : public PointwiseTarget {
 public:
  struct Shape {
    double ring_width, lobe_width;
  };
  LobedRing(std::string name, std::string description, double log_z, Shape shape)
      : PointwiseTarget(std::move(name), std::move(description), log_z, {-4, -4}, {4, 4}),
        shape_(shape) {}

 protected:
  double At(std::span<const double> x, std::span<double> gradient) const override {
    const double radius = std::hypot(x[0], x[1]);
    const double u = (radius - 2) / shape_.ring_width;
    const double right = (x[0] - 2) / shape_.lobe_width;
    const double left = (x[0] + 2) / shape_.lobe_width;
    const LogSum lobes = LogAddExp(-0.5 * right * right, -0.5 * left * left);
    const double slope = radius > 0 ? -u / shape_.ring_width / radius : 0;
    gradient[0] = slope * x[0] -
                  (lobes.first_share * right + (1 - lobes.first_share) * left) / shape_.lobe_width;
    gradient[1] = slope * x[1];
    return -0.5 * u * u + lobes.value;
  }

 private:
  const Shape shape_;
};

}  // namespace sluiced::targets
