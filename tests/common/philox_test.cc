#include "server/common/philox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace sluiced {
namespace {

constexpr uint64_t kSeed = 42;

using Block = std::array<uint32_t, 4>;

// philox4x32 10 of kat_vectors in Random123 (Salmon et al.). Our counter words are
// {counter low, counter high, stream, substream}, our key words the seed's.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(Philox(0, Stream{0}, 0, 0), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox(~uint64_t{0}, Stream{0xffffffff}, 0xffffffff, ~uint64_t{0}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox(0x299f31d0a4093822, Stream{0x13198a2e}, 0x03707344, 0x85a308d3243f6a88),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, EveryArgumentCounts) {
  const Block block = Philox(kSeed, Stream::kSample, 0, 0);
  EXPECT_NE(Philox(kSeed + 1, Stream::kSample, 0, 0), block);
  EXPECT_NE(Philox(kSeed + (uint64_t{1} << 32), Stream::kSample, 0, 0), block);
  EXPECT_NE(Philox(kSeed, Stream::kInitial, 0, 0), block);
  EXPECT_NE(Philox(kSeed, Stream::kSample, 1, 0), block);
  EXPECT_NE(Philox(kSeed, Stream::kSample, 0, 1), block);
  EXPECT_NE(Philox(kSeed, Stream::kSample, 0, uint64_t{1} << 32), block);
}

template <typename T>
std::vector<T> Rows(int64_t first, int64_t n, int64_t dim) {
  std::vector<T> rows(static_cast<size_t>(n * dim));
  NormalRows(kSeed, Stream::kSample, 3, first, dim, std::span(rows));
  return rows;
}

TEST(NormalRows, AreIndependentOfTheBatch) {
  for (int64_t dim : {1, 2, 3, 5, 16}) {
    const std::vector<double> whole = Rows<double>(0, 100, dim);
    for (int64_t first : {0, 1, 37, 99}) {
      const int64_t n = std::min<int64_t>(13, 100 - first);
      const std::vector<double> expected(whole.begin() + first * dim,
                                         whole.begin() + (first + n) * dim);
      EXPECT_EQ(Rows<double>(first, n, dim), expected) << dim << " from " << first;
    }
  }
}

TEST(NormalRows, FloatsAreTheDoublesRounded) {
  const std::vector<double> doubles = Rows<double>(5, 40, 3);
  EXPECT_EQ(Rows<float>(5, 40, 3), std::vector<float>(doubles.begin(), doubles.end()));
}

TEST(NormalRows, HaveTheMomentsOfANormal) {
  const std::vector<double> values = Rows<double>(0, 100'000, 3);
  double sum = 0, squares = 0, fourths = 0;
  for (double v : values) {
    sum += v;
    squares += v * v;
    fourths += v * v * v * v;
  }
  const auto n = static_cast<double>(values.size());
  EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(fourths / n, 3, 5 * std::sqrt(96 / n));
}

TEST(NormalRows, NoRowsAndNoColumns) {
  EXPECT_TRUE(Rows<float>(0, 0, 3).empty());
  EXPECT_TRUE(Rows<float>(0, 3, 0).empty());
}

TEST(PhiloxReader, ReadsTheBlocksInOrder) {
  PhiloxReader reader(kSeed, Stream::kShuffle, 2);
  for (uint64_t counter = 0; counter < 3; ++counter) {
    for (uint32_t word : Philox(kSeed, Stream::kShuffle, 2, counter)) {
      EXPECT_EQ(reader.NextWord(), word);
    }
  }
}

TEST(PhiloxReader, UniformAndBelowStayInRange) {
  PhiloxReader reader(kSeed, Stream::kShuffle);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) {
    const double uniform = reader.Uniform();
    ASSERT_TRUE(uniform >= 0 && uniform < 1);
    ++counts.at(reader.Below(7));
  }
  for (int count : counts) EXPECT_NEAR(count, 10'000, 500);
  EXPECT_EQ(reader.Below(1), 0u);
  EXPECT_LT(reader.Below(~uint64_t{0}), ~uint64_t{0});
}

}  // namespace
}  // namespace sluiced
