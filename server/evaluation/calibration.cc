#include "server/evaluation/calibration.h"

#include <algorithm>
#include <utility>

namespace sluiced::evaluation {

Uniformity UniformityOf(std::vector<double> places) {
  Uniformity uniformity;
  uniformity.counts = CountPlaces(places);
  uniformity.ks = KsOfUniform(std::move(places));
  return uniformity;
}

Coverage CoverageOf(std::vector<double> masses) {
  Coverage coverage;
  for (double level : {0.5, 0.68, 0.9, 0.95}) {
    const auto inside =
        std::count_if(masses.begin(), masses.end(), [level](double mass) { return mass <= level; });
    coverage.levels.push_back(
        {level, ShareOf(static_cast<double>(inside), static_cast<double>(masses.size()))});
  }
  coverage.regions = UniformityOf(std::move(masses));
  return coverage;
}

}  // namespace sluiced::evaluation
