#include "server/common/philox.h"

#include <cmath>
#include <numbers>

namespace sluiced {
namespace {

constexpr uint32_t kMultiplier0 = 0xD2511F53;
constexpr uint32_t kMultiplier1 = 0xCD9E8D57;
constexpr uint32_t kWeyl0 = 0x9E3779B9;
constexpr uint32_t kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;

// 53 random bits of two words, in [0, 1).
double ToUniform(uint32_t high, uint32_t low) {
  const uint64_t bits = (uint64_t{high} << 32 | low) >> 11;
  return static_cast<double>(bits) * 0x1.0p-53;
}

struct NormalPair {
  double first, second;
};

// Box-Muller. 1 - u lies in (0, 1], so the logarithm is finite.
NormalPair ToNormals(const std::array<uint32_t, 4>& block) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - ToUniform(block[0], block[1])));
  const double angle = 2.0 * std::numbers::pi * ToUniform(block[2], block[3]);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace

std::array<uint32_t, 4> Philox(uint64_t seed, Stream stream, uint32_t substream, uint64_t counter) {
  std::array<uint32_t, 4> c = {static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32),
                               static_cast<uint32_t>(stream), substream};
  auto key0 = static_cast<uint32_t>(seed);
  auto key1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t product0 = uint64_t{kMultiplier0} * c[0];
    const uint64_t product1 = uint64_t{kMultiplier1} * c[2];
    c = {static_cast<uint32_t>(product1 >> 32) ^ c[1] ^ key0, static_cast<uint32_t>(product1),
         static_cast<uint32_t>(product0 >> 32) ^ c[3] ^ key1, static_cast<uint32_t>(product0)};
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return c;
}

PhiloxReader::PhiloxReader(uint64_t seed, Stream stream, uint32_t substream)
    : seed_(seed), stream_(stream), substream_(substream) {}

uint32_t PhiloxReader::NextWord() {
  if (used_ == 4) {
    block_ = Philox(seed_, stream_, substream_, counter_++);
    used_ = 0;
  }
  return block_[static_cast<size_t>(used_++)];
}

double PhiloxReader::Uniform() {
  const uint32_t high = NextWord();
  return ToUniform(high, NextWord());
}

double PhiloxReader::Normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  std::array<uint32_t, 4> words;
  for (uint32_t& word : words) word = NextWord();
  const NormalPair pair = ToNormals(words);
  spare_ = pair.second;
  has_spare_ = true;
  return pair.first;
}

uint64_t PhiloxReader::Below(uint64_t bound) {
  // Words below the threshold would make small results likelier: drawn again.
  const uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    const uint64_t high = NextWord();
    const uint64_t word = high << 32 | NextWord();
    if (word >= threshold) return word % bound;
  }
}

template <typename T>
void NormalRows(uint64_t seed, Stream stream, uint32_t substream, int64_t first_row, int64_t dim,
                std::span<T> out) {
  // Two numbers a block, and whole blocks a row, so that a row is a function of
  // its index alone.
  const auto blocks_per_row = static_cast<uint64_t>((dim + 1) / 2);
  const auto columns = static_cast<size_t>(dim);
  const size_t rows = columns == 0 ? 0 : out.size() / columns;
  for (size_t row = 0; row < rows; ++row) {
    uint64_t counter = (static_cast<uint64_t>(first_row) + row) * blocks_per_row;
    for (size_t column = 0; column < columns; column += 2) {
      const NormalPair pair = ToNormals(Philox(seed, stream, substream, counter++));
      out[row * columns + column] = static_cast<T>(pair.first);
      if (column + 1 < columns) out[row * columns + column + 1] = static_cast<T>(pair.second);
    }
  }
}

template void NormalRows<float>(uint64_t, Stream, uint32_t, int64_t, int64_t, std::span<float>);
template void NormalRows<double>(uint64_t, Stream, uint32_t, int64_t, int64_t, std::span<double>);

}  // namespace sluiced
