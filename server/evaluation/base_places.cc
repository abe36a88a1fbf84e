#include "server/evaluation/base_places.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "server/evaluation/flow_rows.h"
#include "server/flows/parameters.h"

namespace sluiced::evaluation {
namespace {

double Normal(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

// Lentz's continued fraction of the incomplete beta function (Press et al., Numerical
// Recipes, 6.4); converges for x < (a + 1) / (a + b + 2).
double BetaFraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto kept = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / kept(1 - (a + b) * x / (a + 1)), fraction = d;
  for (int m = 1; m <= 300; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    for (double term : {even, odd}) {
      d = 1 / kept(1 + term * d);
      c = kept(1 + term / c);
      fraction *= d * c;
    }
    if (std::abs(d * c - 1) < 1e-14) break;
  }
  return fraction;
}

double IncompleteBeta(double a, double b, double x) {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * BetaFraction(a, b, x) / a;
  return 1 - front * BetaFraction(b, a, 1 - x) / b;
}

// Numbers of the base's slice `index`, in buffer order.
std::vector<double> BaseNumbers(const flows::FlowState& state, size_t index) {
  std::vector<double> numbers;
  size_t found = 0;
  for (const flows::ParameterSlice& slice : flows::ParameterLayout(state.spec)) {
    if (slice.part != flows::Part::kBase || found++ != index) continue;
    for (int64_t i = 0; i < slice.size; ++i) {
      numbers.push_back(state.parameters.At(slice.offset + i));
    }
  }
  return numbers;
}

using Distribution = std::function<double(double)>;

// Weights of softmax(logits), each component its own normal.
Distribution Mixture(const flows::FlowState& state, int64_t column) {
  const std::vector<double> logits = BaseNumbers(state, 0), location = BaseNumbers(state, 1),
                            log_scale = BaseNumbers(state, 2);
  const double largest = *std::max_element(logits.begin(), logits.end());
  return
      [=, dim = static_cast<size_t>(state.spec.dim), at = static_cast<size_t>(column)](double z) {
        double sum = 0, total = 0;
        for (size_t i = 0; i < logits.size(); ++i) {
          const double weight = std::exp(logits[i] - largest);
          const size_t j = i * dim + at;
          sum += weight * Normal((z - location[j]) * std::exp(-log_scale[j]));
          total += weight;
        }
        return sum / total;
      };
}

Distribution DistributionOf(const flows::FlowState& state, int64_t column) {
  const flows::FlowSpec& spec = state.spec;
  const Distribution uniform = [bound = spec.bound](double z) {
    return std::clamp((z + bound) / (2 * bound), 0.0, 1.0);
  };
  const flows::Column declared = flows::ColumnsOf(spec)[static_cast<size_t>(column)];
  if (declared.support == flows::Support::kPeriodic) return uniform;
  switch (spec.base) {
    case flows::Base::kNormal:
      break;
    case flows::Base::kDiagonal: {
      const auto at = static_cast<size_t>(column);
      const double location = BaseNumbers(state, 0)[at], log_scale = BaseNumbers(state, 1)[at];
      return [=](double z) { return Normal((z - location) * std::exp(-log_scale)); };
    }
    case flows::Base::kMixture:
      return Mixture(state, column);
    case flows::Base::kStudentT:
      return [freedom = spec.degrees_of_freedom](double z) { return StudentTail(z, freedom); };
    case flows::Base::kUniform:
      return uniform;
  }
  return Normal;
}

}  // namespace

double StudentTail(double t, double freedom) {
  const double beyond = IncompleteBeta(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2;
  return t > 0 ? 1 - beyond : beyond;
}

std::vector<double> BasePlaces(const flows::FlowState& state, const Array& z, int64_t column) {
  const Distribution distribution = DistributionOf(state, column);
  std::vector<double> places = ColumnOf(z, column);
  std::transform(places.begin(), places.end(), places.begin(), distribution);
  return places;
}

}  // namespace sluiced::evaluation
