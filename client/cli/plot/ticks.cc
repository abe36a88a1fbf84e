#include "client/cli/plot/ticks.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace sluice::plot {
namespace {

double NiceStep(double rough) {
  const double decade = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * decade >= rough * (1 - 1e-9)) return factor * decade;
  }
  return 10 * decade;
}

std::string Label(double value, double step) {
  char text[48];
  const double largest = std::max(std::abs(value), step);
  if (value != 0 && (largest >= 1e6 || step < 1e-5)) {
    std::snprintf(text, sizeof(text), "%.3g", value);
  } else {
    const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
    std::snprintf(text, sizeof(text), "%.*f", decimals, value);
  }
  std::string label(text);
  // A true minus sign: as wide as a plus and legible.
  if (label[0] == '-') label.replace(0, 1, "\u2212");
  return label;
}

void KeepFinite(std::vector<double>* values) {
  std::erase_if(*values, [](double value) { return !std::isfinite(value); });
}

}  // namespace

std::vector<Tick> NiceTicks(Range range, int most) {
  std::vector<Tick> ticks;
  if (!std::isfinite(range.span()) || range.span() <= 0 || most < 2) return ticks;
  // A step below the resolution of the numbers would never advance.
  if (range.span() < 1e-12 * std::max(std::abs(range.low), std::abs(range.high))) return ticks;
  // The finest step that may do: ticks are at least span / step - 1.
  double step = NiceStep(range.span() / (most + 1));
  const double slack = 1e-9 * range.span();
  const auto count = [&] {
    return std::floor((range.high + slack) / step) - std::ceil((range.low - slack) / step) + 1;
  };
  while (count() > most) step = NiceStep(step * 1.5);
  const double first = std::ceil((range.low - slack) / step);
  for (int i = 0; i < count(); ++i) {
    const double value = (first + i) * step;
    const double rounded = std::abs(value) < step * 1e-9 ? 0 : value;
    ticks.push_back({rounded, Label(rounded, step)});
  }
  return ticks;
}

Range Padded(Range range, double fraction) {
  if (!(range.span() > 0)) return {range.low - 0.5, range.high + 0.5};
  return {range.low - fraction * range.span(), range.high + fraction * range.span()};
}

Range RangeOf(const std::vector<double>& values) {
  Range range{0, 1};
  bool any = false;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    range.low = any ? std::min(range.low, value) : value;
    range.high = any ? std::max(range.high, value) : value;
    any = true;
  }
  return range;
}

double Quantile(std::vector<double> values, double q) {
  KeepFinite(&values);
  if (values.empty()) return 0;
  const double at = std::clamp(q, 0.0, 1.0) * static_cast<double>(values.size() - 1);
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(at);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

}  // namespace sluice::plot
