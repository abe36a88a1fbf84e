#include "server/targets/pointwise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "server/common/check.h"

namespace sluiced::targets {
namespace {

bool AllFinite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

template <typename PointFunction>
void ForEachRow(size_t dim, std::span<const double> x, std::span<double> log_density,
                std::span<double> gradient, PointFunction at) {
  SLUICED_CHECK(x.size() == log_density.size() * dim);
  SLUICED_CHECK(gradient.empty() || gradient.size() == x.size());
  std::vector<double> slope(dim);
  for (size_t row = 0; row < log_density.size(); ++row) {
    const auto point = x.subspan(row * dim, dim);
    double value = AllFinite(point) ? at(point, std::span<double>(slope)) : NAN;
    if (!std::isfinite(value) || !AllFinite(slope)) {
      value = -std::numeric_limits<double>::infinity();
      std::fill(slope.begin(), slope.end(), 0.0);
    }
    log_density[row] = value;
    if (!gradient.empty()) std::copy(slope.begin(), slope.end(), &gradient[row * dim]);
  }
}

}  // namespace

void PointwiseTarget::Evaluate(std::span<const double> x, std::span<double> log_density,
                               std::span<double> gradient) const {
  ForEachRow(static_cast<size_t>(dim()), x, log_density, gradient,
             [this](auto point, auto slope) { return At(point, slope); });
}

void PointwiseTarget::EvaluateContinued(std::span<const double> x, std::span<double> log_density,
                                        std::span<double> gradient) const {
  ForEachRow(static_cast<size_t>(dim()), x, log_density, gradient,
             [this](auto point, auto slope) { return ContinuedAt(point, slope); });
}

double PointwiseTarget::ContinuedAt(std::span<const double> x, std::span<double> gradient) const {
  return At(x, gradient);
}

LogSum LogAddExp(double a, double b) {
  const double value = std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
  return {value, std::exp(a - value)};
}

}  // namespace sluiced::targets
