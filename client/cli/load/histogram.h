// Histogram: latencies in memory that does not grow with their number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::cli {

// Nanoseconds, in buckets of which none is wider than 1/128 of what it holds.
class Histogram {
 public:
  void Add(int64_t nanoseconds);
  void Merge(const Histogram& other);

  int64_t count() const { return count_; }
  double MeanSeconds() const;
  double MaxSeconds() const;
  // The least latency that `fraction` of all do not exceed, to a bucket's width; 0 of
  // none.
  double QuantileSeconds(double fraction) const;

 private:
  static constexpr int kBits = 7;
  static constexpr int64_t kSteps = int64_t{1} << kBits;  // Buckets of an octave.
  static constexpr int kOctaves = 40;                     // Up to 19 hours.

  static size_t IndexOf(int64_t nanoseconds);
  static double MiddleOf(size_t index);

  std::array<int64_t, static_cast<size_t>(kSteps*(kOctaves + 1))> counts_ = {};
  int64_t count_ = 0;
  int64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace sluice::cli
