#include "client/cli/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sluice::cli {
namespace {

constexpr double kSecond = 1e9;

}  // namespace

// The first octave holds the numbers below kSteps, one a bucket; each further one twice
// the range of the one before in as many buckets.
size_t Histogram::IndexOf(int64_t nanoseconds) {
  const auto value = static_cast<uint64_t>(std::max<int64_t>(nanoseconds, 0));
  if (value < static_cast<uint64_t>(kSteps)) return static_cast<size_t>(value);
  const int octave = std::min<int>(std::bit_width(value) - kBits, kOctaves);
  const uint64_t step = std::min<uint64_t>(value >> (octave - 1), 2 * kSteps - 1);
  return static_cast<size_t>(octave * kSteps) + static_cast<size_t>(step) -
         static_cast<size_t>(kSteps);
}

double Histogram::MiddleOf(size_t index) {
  const auto octave = static_cast<int>(index / kSteps);
  const auto step = static_cast<double>(index % kSteps);
  if (octave == 0) return step;
  return std::ldexp(static_cast<double>(kSteps) + step + 0.5, octave - 1);
}

void Histogram::Add(int64_t nanoseconds) {
  ++counts_[IndexOf(nanoseconds)];
  ++count_;
  max_ = std::max(max_, nanoseconds);
  sum_ += static_cast<double>(nanoseconds);
}

void Histogram::Merge(const Histogram& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double Histogram::MeanSeconds() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_) / kSecond;
}

double Histogram::MaxSeconds() const { return static_cast<double>(max_) / kSecond; }

double Histogram::QuantileSeconds(double fraction) const {
  const double wanted = std::ceil(fraction * static_cast<double>(count_));
  int64_t seen = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen > 0 && static_cast<double>(seen) >= wanted) {
      return std::min(MiddleOf(i), static_cast<double>(max_)) / kSecond;
    }
  }
  return 0;
}

}  // namespace sluice::cli
