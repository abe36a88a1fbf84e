#include "server/evaluation/ranks.h"

#include <algorithm>
#include <cmath>

namespace sluiced::evaluation {
namespace {

// The probability that sqrt(n) D exceeds lambda (Kolmogorov 1933).
double KolmogorovTail(double lambda) {
  if (lambda < 0.2) return 1;  // 1 - 1e-12 and closer, where the series is slow.
  double sum = 0;
  for (int k = 1; k <= 100; ++k) {
    const double term = std::exp(-2.0 * k * k * lambda * lambda);
    sum += k % 2 == 1 ? term : -term;
    if (term < 1e-16) break;
  }
  return std::clamp(2 * sum, 0.0, 1.0);
}

double StretchOf(double count) {
  const double root = std::sqrt(count);
  return root + 0.12 + 0.11 / root;
}

KsTest TestOf(double distance, double count) {
  return {distance, KolmogorovTail(StretchOf(count) * distance)};
}

double PlaceOf(double less, double equal, double draws, double dice) {
  return (less + dice * (equal + 1)) / (draws + 1);
}

}  // namespace

void SortNumbers(std::vector<double>& values) {
  std::erase_if(values, [](double v) { return std::isnan(v); });
  std::sort(values.begin(), values.end());
}

KsTest KsOfUniform(std::vector<double> values) {
  SortNumbers(values);
  if (values.empty()) return {};
  const auto count = static_cast<double>(values.size());
  double distance = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto before = static_cast<double>(i);
    distance = std::max({distance, (before + 1) / count - values[i], values[i] - before / count});
  }
  return TestOf(distance, count);
}

KsTest KsOfTwo(std::vector<double> a, std::vector<double> b) {
  SortNumbers(a);
  SortNumbers(b);
  if (a.empty() || b.empty()) return {};
  const auto of_a = static_cast<double>(a.size()), of_b = static_cast<double>(b.size());
  double distance = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const double at = std::min(a[i], b[j]);
    while (i < a.size() && a[i] == at) ++i;
    while (j < b.size() && b[j] == at) ++j;
    distance =
        std::max(distance, std::abs(static_cast<double>(i) / of_a - static_cast<double>(j) / of_b));
  }
  return TestOf(distance, of_a * of_b / (of_a + of_b));
}

double KsDistanceAt(double p_value, double count) {
  double low = 0, high = 10;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (KolmogorovTail(middle) > p_value ? low : high) = middle;
  }
  return high / StretchOf(count);
}

double Place(double value, std::span<const double> draws, double dice) {
  double less = 0, equal = 0;
  for (double draw : draws) {
    less += draw < value ? 1 : 0;
    equal += draw == value ? 1 : 0;
  }
  return PlaceOf(less, equal, static_cast<double>(draws.size()), dice);
}

double PlaceInSorted(double value, std::span<const double> draws, double dice) {
  const auto [first, last] = std::equal_range(draws.begin(), draws.end(), value);
  return PlaceOf(static_cast<double>(first - draws.begin()), static_cast<double>(last - first),
                 static_cast<double>(draws.size()), dice);
}

std::vector<int64_t> CountPlaces(std::span<const double> places) {
  std::vector<int64_t> counts(kRankBins);
  for (double place : places) {
    const int bin = std::clamp(static_cast<int>(place * kRankBins), 0, kRankBins - 1);
    ++counts[static_cast<size_t>(bin)];
  }
  return counts;
}

}  // namespace sluiced::evaluation
