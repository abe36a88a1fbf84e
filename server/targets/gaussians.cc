// Gaussians and mixtures of them, normalised: log Z = 0.
#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <string>
#include <utility>

#include "server/targets/builtin.h"
#include "server/targets/pointwise.h"

namespace sluiced::targets {
namespace {

class Gaussian final : public PointwiseTarget {
 public:
  Gaussian()
      : PointwiseTarget("gaussian",
                        "A normal density of means (1, -0.5), deviations (1, 0.5), correlation "
                        "0.8.",
                        0, {-4, -3}, {6, 2}) {}

 protected:
  double At(std::span<const double> x, std::span<double> gradient) const override {
    constexpr double kSigma1 = 1, kSigma2 = 0.5, kRho = 0.8;
    constexpr double kRest = 1 - kRho * kRho;
    const double u = (x[0] - 1) / kSigma1;
    const double v = (x[1] + 0.5) / kSigma2;
    gradient[0] = -(u - kRho * v) / (kRest * kSigma1);
    gradient[1] = -(v - kRho * u) / (kRest * kSigma2);
    return -0.5 * (u * u - 2 * kRho * u * v + v * v) / kRest -
           std::log(2 * std::numbers::pi * kSigma1 * kSigma2 * std::sqrt(kRest));
  }
};

// Round components in two dimensions.
class Mixture final : public PointwiseTarget {
 public:
  struct Component {
    double weight, x1, x2, width;
  };
  Mixture(std::string name, std::string description, std::vector<Component> components,
          double extent)
      : PointwiseTarget(std::move(name), std::move(description), 0, {-extent, -extent},
                        {extent, extent}),
        components_(std::move(components)) {}

 protected:
  double At(std::span<const double> x, std::span<double> gradient) const override {
    double largest = LogTerm(components_[0], x);
    for (const Component& c : components_) largest = std::max(largest, LogTerm(c, x));
    double sum = 0;
    gradient[0] = gradient[1] = 0;
    for (const Component& c : components_) {
      const double share = std::exp(LogTerm(c, x) - largest);
      sum += share;
      gradient[0] -= share * (x[0] - c.x1) / (c.width * c.width);
      gradient[1] -= share * (x[1] - c.x2) / (c.width * c.width);
    }
    gradient[0] /= sum;
    gradient[1] /= sum;
    return largest + std::log(sum);
  }

 private:
  static double LogTerm(const Component& c, std::span<const double> x) {
    const double u = (x[0] - c.x1) / c.width;
    const double v = (x[1] - c.x2) / c.width;
    return std::log(c.weight / (2 * std::numbers::pi * c.width * c.width)) - 0.5 * (u * u + v * v);
  }

  const std::vector<Component> components_;
};

std::vector<Mixture::Component> Ring() {
  constexpr int kCount = 8;
  std::vector<Mixture::Component> ring;
  for (int i = 0; i < kCount; ++i) {
    const double angle = 2 * std::numbers::pi * i / kCount;
    ring.push_back({1.0 / kCount, 2 * std::cos(angle), 2 * std::sin(angle), 0.2});
  }
  return ring;
}

}  // namespace

TargetList Gaussians() {
  TargetList list;
  list.push_back(std::make_unique<Gaussian>());
  list.push_back(std::make_unique<Mixture>(
      "gaussian-mixture", "Four round normal densities of unequal weights and widths.",
      std::vector<Mixture::Component>{{0.4, -1.5, -1.5, 0.5},
                                      {0.3, 1.5, 1.5, 0.4},
                                      {0.2, -1.5, 1.5, 0.6},
                                      {0.1, 1.5, -1.5, 0.3}},
      4.5));
  list.push_back(std::make_unique<Mixture>(
      "ring", "Eight round normal densities of width 0.2 on a circle of radius 2.", Ring(), 3.5));
  return list;
}

}  // namespace sluiced::targets
