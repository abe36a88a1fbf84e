#include "client/cli/plot/colormap.h"

#include <algorithm>

namespace sluice::plot {
namespace {

// Least-squares polynomial of degree 6 through matplotlib's table, within 1/100
// of it: Matt Zucker, shadertoy.com/view/WlfXRN (CC0).
constexpr double kRed[] = {0.2777273272234177, 0.1050930431085774, -0.3308618287255563,
                           -4.634230498983486, 6.228269936347081,  4.776384997670288,
                           -5.435455855934631};
constexpr double kGreen[] = {0.005407344544966578, 1.404613529898575, 0.214847559468213,
                             -5.799100973351585,   14.17993336680509, -13.74514537774601,
                             4.645852612178535};
constexpr double kBlueOf[] = {0.3340998053353061, 1.384590162594685, 0.09509516302823659,
                              -19.33244095627987, 56.69055260068105, -65.35303263337234,
                              26.3124352495832};

double Evaluate(const double (&coefficients)[7], double t) {
  double value = 0;
  for (int i = 6; i >= 0; --i) value = value * t + coefficients[i];
  return std::clamp(value, 0.0, 1.0);
}

}  // namespace

Color Viridis(double t) {
  t = t > 0 ? std::min(t, 1.0) : 0.0;  // NaN is 0.
  return {Evaluate(kRed, t), Evaluate(kGreen, t), Evaluate(kBlueOf, t)};
}

}  // namespace sluice::plot
