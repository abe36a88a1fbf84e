// The seed's double moon, and the smooth two moons of the field.
#include <cmath>
#include <numbers>

#include "server/targets/builtin.h"
#include "server/targets/lobed_ring.h"
#include "server/targets/pointwise.h"

namespace sluiced::targets {
namespace {

// log N(r; 1, 0.1) with r the norm of x, x1 shifted by +0.5 where x2 > 0 and by
// -0.5 elsewhere: half a ring on each side of x2 = 0. The density jumps across that
// line, and reverse-KL gradients do not see a jump. Each half ring has mass pi.
class SeedMoons final : public PointwiseTarget {
 public:
  SeedMoons()
      : PointwiseTarget("seed-moons",
                        "Two half rings of radius 1, shifted apart along x1; the density jumps "
                        "across x2 = 0.",
                        std::log(2 * std::numbers::pi), {-2.5, -1.75}, {2.5, 1.75}) {}

 protected:
  double At(std::span<const double> x, std::span<double> gradient) const override {
    constexpr double kRadius = 1, kWidth = 0.1;
    const double shifted = x[0] + (x[1] > 0 ? 0.5 : -0.5);
    const double radius = std::hypot(shifted, x[1]);
    const double u = (radius - kRadius) / kWidth;
    // The gradient has no direction at radius 0: zero there.
    const double slope = radius > 0 ? -u / kWidth / radius : 0;
    gradient[0] = slope * shifted;
    gradient[1] = slope * x[1];
    return -0.5 * u * u - std::log(kWidth * std::sqrt(2 * std::numbers::pi));
  }
};

}  // namespace

TargetList Moons() {
  TargetList list;
  list.push_back(std::make_unique<SeedMoons>());
  // log Z by quadrature in polar coordinates, as for u1.
  list.push_back(std::make_unique<LobedRing>(
      "two-moons", "Two smooth moons facing each other on a ring of radius 2.", 0.8042144486321184,
      LobedRing::Shape{.ring_width = 0.2, .lobe_width = 0.3}));
  return list;
}

}  // namespace sluiced::targets
