// The test energies U1 to U4 of Rezende and Mohamed, "Variational inference with
// normalizing flows" (ICML 2015), table 1. U2 to U4 do not fall off along x1; they
// are cut off at |x1| = 4, where they become proper.
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>
#include <string>
#include <utility>

#include "server/targets/builtin.h"
#include "server/targets/lobed_ring.h"
#include "server/targets/pointwise.h"

namespace sluiced::targets {
namespace {

constexpr double kBox = 4;
// Slope of the wall that continues the density off the box, in nats per unit:
// bounded, so that one far row cannot rule a step, and steep enough that the best
// fit to the continued density leaves about 1% of its mass outside.
constexpr double kWallSlope = 20;

// exp(-0.5 ((x2 - w1) / width)^2), w1 = sin(2 pi x1 / 4), and where `second_width`
// is set plus exp(-0.5 ((x2 - w1 + w) / second_width)^2), w a bend of x1. Along x2
// each is a Gaussian whatever x1 is: Z = 8 sqrt(2 pi) (width + second_width).
class Wave final : public PointwiseTarget {
 public:
  struct Bend {
    double value, slope;
  };
  struct Shape {
    double width, second_width;
    Bend (*bend)(double x1);
  };
  Wave(std::string name, std::string description, Shape shape, double low, double high)
      : PointwiseTarget(std::move(name), std::move(description),
                        std::log(2 * kBox * std::sqrt(2 * std::numbers::pi) *
                                 (shape.width + shape.second_width)),
                        {-kBox, low}, {kBox, high}),
        shape_(shape) {}

 protected:
  double At(std::span<const double> x, std::span<double> gradient) const override {
    if (std::abs(x[0]) >= kBox) return -std::numeric_limits<double>::infinity();
    return Unbounded(x, gradient);
  }

  double ContinuedAt(std::span<const double> x, std::span<double> gradient) const override {
    const double outside = std::abs(x[0]) - kBox;
    double value = Unbounded(x, gradient);
    if (outside >= 0) {
      value -= kWallSlope * outside;
      gradient[0] -= std::copysign(kWallSlope, x[0]);
    }
    return value;
  }

 private:
  double Unbounded(std::span<const double> x, std::span<double> gradient) const {
    constexpr double kFrequency = 2 * std::numbers::pi / 4;
    const double wave = std::sin(kFrequency * x[0]);
    const double wave_slope = kFrequency * std::cos(kFrequency * x[0]);
    const double first = (x[1] - wave) / shape_.width;
    double value = -0.5 * first * first;
    double by_x2 = -first / shape_.width;
    double by_bend = 0;
    if (shape_.bend != nullptr) {
      const Bend bend = shape_.bend(x[0]);
      const double second = (x[1] - wave + bend.value) / shape_.second_width;
      const LogSum sum = LogAddExp(value, -0.5 * second * second);
      value = sum.value;
      const double pull = -(1 - sum.first_share) * second / shape_.second_width;
      by_x2 = sum.first_share * by_x2 + pull;
      by_bend = pull * bend.slope;
    }
    gradient[0] = -by_x2 * wave_slope + by_bend;
    gradient[1] = by_x2;
    return value;
  }

  const Shape shape_;
};

// w2 = 3 exp(-0.5 ((x1 - 1) / 0.6)^2)
Wave::Bend Bump(double x1) {
  const double u = (x1 - 1) / 0.6;
  const double value = 3 * std::exp(-0.5 * u * u);
  return {value, -value * u / 0.6};
}

// w3 = 3 sigmoid((x1 - 1) / 0.3)
Wave::Bend Step(double x1) {
  const double share = 1 / (1 + std::exp(-(x1 - 1) / 0.3));
  return {3 * share, 3 * share * (1 - share) / 0.3};
}

}  // namespace

TargetList RezendeMohamed() {
  TargetList list;
  list.push_back(std::make_unique<LobedRing>(
      "u1", "Rezende and Mohamed's U1: two broad moons on a ring of radius 2.", 1.8775016261097106,
      LobedRing::Shape{.ring_width = 0.4, .lobe_width = 0.6}));
  list.push_back(
      std::make_unique<Wave>("u2", "Rezende and Mohamed's U2: a sine wave, on |x1| < 4.",
                             Wave::Shape{.width = 0.4, .second_width = 0, .bend = nullptr}, -3, 3));
  list.push_back(std::make_unique<Wave>(
      "u3", "Rezende and Mohamed's U3: a sine wave that splits for a while, on |x1| < 4.",
      Wave::Shape{.width = 0.35, .second_width = 0.35, .bend = Bump}, -5, 3));
  list.push_back(
      std::make_unique<Wave>("u4", "Rezende and Mohamed's U4: a sine wave that forks, on |x1| < 4.",
                             Wave::Shape{.width = 0.4, .second_width = 0.35, .bend = Step}, -6, 3));
  return list;
}

}  // namespace sluiced::targets
