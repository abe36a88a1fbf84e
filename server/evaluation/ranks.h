// Whether numbers stand among others as they should: ranks, their histograms, and
// the Kolmogorov-Smirnov test. No LibTorch here.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sluiced::evaluation {

struct KsTest {
  double distance = 0;  // Largest distance of the distribution functions.
  double p_value = 1;   // Of a distance as large by chance; asymptotic (Stephens 1970).
};
// Of numbers in [0, 1] against the uniform distribution, and of two samples of one
// distribution. NaN is none of them; of no numbers: distance 0, p_value 1.
KsTest KsOfUniform(std::vector<double> values);
KsTest KsOfTwo(std::vector<double> a, std::vector<double> b);
// The distance that chance exceeds with this probability, among `count` numbers.
double KsDistanceAt(double p_value, double count);

// Ascending; NaN, which stands nowhere, is left out.
void SortNumbers(std::vector<double>& values);

// Where a number stands among `draws`: uniform on (0, 1) when it is one of their like.
// `dice` in [0, 1) decides among equals, so that a few draws are no steps.
double Place(double value, std::span<const double> draws, double dice);
// The same of sorted draws, in less time.
double PlaceInSorted(double value, std::span<const double> draws, double dice);

inline constexpr int kRankBins = 20;
// Of how many of `places` lie in each of kRankBins equal bins of [0, 1].
std::vector<int64_t> CountPlaces(std::span<const double> places);

}  // namespace sluiced::evaluation
