// What the kernels of one SIMD target share. Included once a target, by
// program.cc.
#if defined(SLUICED_ENGINE_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_VECTORS_INL_H_
#undef SLUICED_ENGINE_VECTORS_INL_H_
#else
#define SLUICED_ENGINE_VECTORS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"

// Arrays of vectors live in registers only when every loop over them is unrolled.
#if defined(__clang__)
#define SLUICED_UNROLL _Pragma("unroll")
#else
#define SLUICED_UNROLL _Pragma("GCC unroll 16")
#endif

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
using Tag = hn::ScalableTag<T>;
template <typename T>
using Vec = hn::Vec<Tag<T>>;
template <typename T>
constexpr size_t kLanes = hn::MaxLanes(Tag<T>());

// Accumulators of the register block: kBlockOut outputs times kBlockVectors vectors
// of rows, with one register for each vector of inputs and one for the weight.
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr size_t kBlockOut = 8;  // 32 registers.
#else
constexpr size_t kBlockOut = 4;  // 16 registers.
#endif
constexpr size_t kBlockVectors = 3;

// Vectors to take at a time where so many are left: three, but two and two of four.
inline size_t StripAt(size_t vector, size_t vectors) {
  static_assert(kBlockVectors == 3);
  const size_t left = vectors - vector;
  return left == 4 ? 2 : HWY_MIN(left, kBlockVectors);
}

// go.operator()<n>() for a strip of n vectors.
template <typename Go>
HWY_INLINE void WithStrip(size_t strip, Go&& go) {
  if (strip == 3) {
    go.template operator()<3>();
  } else if (strip == 2) {
    go.template operator()<2>();
  } else {
    go.template operator()<1>();
  }
}

// torch.nn.LeakyReLU's default slope.
constexpr double kLeakySlope = 0.01;

constexpr size_t RoundUp(size_t n, size_t step) { return (n + step - 1) / step * step; }

// A tile holds every quantity feature by feature: feature f of all its rows at
// f * stride. `vectors` vectors of rows are computed.
struct Tile {
  size_t stride;
  size_t vectors;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
