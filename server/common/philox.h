// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror and Shaw,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011). A draw is a pure
// function of (seed, stream, index): no state, so any row can be made alone, in
// any batch, on any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace sluiced {

// Streams keep uses of one seed apart.
enum class Stream : uint32_t {
  kSample = 0,       // Base draws of Sample.
  kInitial = 1,      // Initial parameters.
  kShuffle = 2,      // Order of rows in an epoch.
  kSplit = 3,        // Train / validation split.
  kTrainDraws = 4,   // Base draws of a training on a target.
  kEvaluate = 5,     // Draws for importance-sampling estimates.
  kGenerate = 6,     // Generated datasets.
  kPermutation = 7,  // Permutations between layers.
  kWeights = 8,      // Rows drawn by their weights.
  kDequantize = 9,   // Noise on discrete columns.
};

// One block of four 32-bit words.
std::array<uint32_t, 4> Philox(uint64_t seed, Stream stream, uint32_t substream, uint64_t counter);

// A sequential reader over one (seed, stream, substream): for code that draws an
// unknown count. Not thread-safe.
class PhiloxReader {
 public:
  PhiloxReader(uint64_t seed, Stream stream, uint32_t substream = 0);
  uint32_t NextWord();
  double Uniform();                // In [0, 1), 53 bits.
  double Normal();                 // Standard normal (Box-Muller).
  uint64_t Below(uint64_t bound);  // Uniform in [0, bound), unbiased.

 private:
  uint64_t seed_;
  Stream stream_;
  uint32_t substream_;
  uint64_t counter_ = 0;
  std::array<uint32_t, 4> block_{};
  int used_ = 4;
  double spare_ = 0;
  bool has_spare_ = false;
};

// Standard normal rows [first_row, first_row + n) of `dim` columns of an endless
// table that depends on (seed, stream, substream) alone; out is [n, dim],
// row-major. T is float or double: the float table is the double one rounded.
template <typename T>
void NormalRows(uint64_t seed, Stream stream, uint32_t substream, int64_t first_row, int64_t dim,
                std::span<T> out);

}  // namespace sluiced
