// A banana, and Neal's funnel ("Slice sampling", Annals of Statistics 2003, section
// 8) with a milder neck. Normalised: log Z = 0.
#include <cmath>
#include <memory>
#include <numbers>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/targets/builtin.h"
#include "server/targets/pointwise.h"

namespace sluiced::targets {
namespace {

constexpr double kLogRootTwoPi = 0.91893853320467274178;

// x1 ~ N(0, 1.5), x2 ~ N(0.5 x1^2 - 1, 0.5).
class Banana final : public PointwiseTarget {
 public:
  Banana()
      : PointwiseTarget("banana", "A normal density bent along a parabola.", 0, {-6, -4}, {6, 14}) {
  }

 protected:
  double At(std::span<const double> x, std::span<double> gradient) const override {
    constexpr double kSigma1 = 1.5, kSigma2 = 0.5, kBend = 0.5;
    const double u = x[0] / kSigma1;
    const double v = (x[1] - kBend * x[0] * x[0] + 1) / kSigma2;
    gradient[0] = -u / kSigma1 + v / kSigma2 * 2 * kBend * x[0];
    gradient[1] = -v / kSigma2;
    return -0.5 * (u * u + v * v) - std::log(kSigma1 * kSigma2) - 2 * kLogRootTwoPi;
  }
};

// x1 ~ N(0, 1.5), every other coordinate ~ N(0, exp(x1 / 2)).
class Funnel final : public PointwiseTarget {
 public:
  Funnel(std::string name, size_t dim)
      : PointwiseTarget(std::move(name),
                        absl::StrCat("Neal's funnel in ", dim,
                                     " dimensions: x1 of deviation 1.5 "
                                     "sets the scale exp(x1 / 2) of the rest."),
                        0, Box(dim, -1), Box(dim, 1)) {}

 protected:
  double At(std::span<const double> x, std::span<double> gradient) const override {
    constexpr double kSigma = 1.5;
    const double u = x[0] / kSigma;
    const double precision = std::exp(-x[0]);
    const auto rest = static_cast<double>(x.size() - 1);
    double squares = 0;
    for (size_t i = 1; i < x.size(); ++i) {
      squares += x[i] * x[i];
      gradient[i] = -precision * x[i];
    }
    gradient[0] = -u / kSigma + 0.5 * precision * squares - 0.5 * rest;
    return -0.5 * (u * u + precision * squares + rest * x[0]) - std::log(kSigma) -
           (rest + 1) * kLogRootTwoPi;
  }

 private:
  static std::vector<double> Box(size_t dim, double sign) {
    std::vector<double> corner(dim, sign * 20);
    corner[0] = sign * 6;
    return corner;
  }
};

}  // namespace

TargetList BananaAndFunnels() {
  TargetList list;
  list.push_back(std::make_unique<Banana>());
  list.push_back(std::make_unique<Funnel>("funnel", 2));
  list.push_back(std::make_unique<Funnel>("funnel-5", 5));
  return list;
}

}  // namespace sluiced::targets
