// The linear maps for a row at a time, its outputs side by side in a vector: where there
// are few rows, a vector of rows would be mostly empty. Each output adds its products in
// the order of linear-inl.h, so that a row has the same bits either way.
#if defined(SLUICED_ENGINE_FEW_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_FEW_ROWS_INL_H_
#undef SLUICED_ENGINE_FEW_ROWS_INL_H_
#else
#define SLUICED_ENGINE_FEW_ROWS_INL_H_
#endif

#include <algorithm>

#include "server/engine/simd/linear-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// Rows that cost less one by one than as a vector of rows: a product takes kBlockOut
// lanes there, and all lanes of a vector here.
template <typename T>
constexpr size_t kFewRows = kBlockOut / 2;

// kBlocks blocks of kOut outputs each. in: [inputs], out: [kBlocks * kOut].
template <typename T, Finish kFinish, size_t kOut, size_t kBlocks>
HWY_INLINE void RowBlocks(const T* HWY_RESTRICT weights, const T* HWY_RESTRICT bias,
                          const T* HWY_RESTRICT in, size_t inputs, T* HWY_RESTRICT out) {
  static_assert(kFinish == Finish::kStore || kFinish == Finish::kLeaky);
  using D = hn::CappedTag<T, kOut>;
  constexpr size_t kStep = hn::MaxLanes(D());
  constexpr size_t kVectors = kBlocks * kOut / kStep, kOfBlock = kOut / kStep;
  const D d;
  hn::Vec<D> sum[kVectors], apart[kVectors];
  SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) sum[v] = hn::LoadU(d, bias + v * kStep);
  const auto add = [&](size_t i, hn::Vec<D>(&to)[kVectors]) HWY_ATTR {
    const hn::Vec<D> x = hn::Set(d, in[i]);
    SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) {
      const T* weight = weights + (v / kOfBlock * inputs + i) * kOut + v % kOfBlock * kStep;
      to[v] = hn::MulAdd(hn::LoadU(d, weight), x, to[v]);
    }
  };
  if constexpr (kApart<kOut>) {
    for (size_t first = 0; first < inputs; first += kFittingInputs<T>) {
      const size_t end = std::min(inputs, first + kFittingInputs<T>);
      SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) apart[v] = hn::Zero(d);
      size_t i = first;
      for (; i + 2 <= end; i += 2) {
        add(i, sum);
        add(i + 1, apart);
      }
      if (i < end) add(i, sum);
      SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) sum[v] = hn::Add(sum[v], apart[v]);
    }
  } else {
    for (size_t i = 0; i < inputs; ++i) add(i, sum);
  }
  SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) {
    if constexpr (kFinish == Finish::kLeaky) {
      const hn::Vec<D> slope = hn::Set(d, static_cast<T>(kLeakySlope));
      sum[v] = hn::Max(sum[v], hn::Mul(sum[v], slope));
    }
    hn::StoreU(sum[v], d, out + v * kStep);
  }
}

// The same where blocks need some of the inputs alone: the first ones.
template <Finish kFinish, typename T>
HWY_NOINLINE void ApplyBlocksToRow(const Linear<T>& map, const T* HWY_RESTRICT in,
                                   T* HWY_RESTRICT out) {
  const Inputs* of_block = map.of_block;
  const T* weights = map.weights;
  for (size_t o = 0; o < map.out; ++of_block) {
    const size_t block = BlockAt(o, map.out), count = of_block->count;
    WithBlock(block, [&]<size_t kOut>() HWY_ATTR {
      RowBlocks<T, kFinish, kOut, 1>(weights, map.bias + o, in, count, out + o);
    });
    weights += block * count;
    o += block;
  }
}

// in [map.in], out [map.out]: of one row, one after the other.
template <Finish kFinish, typename T>
HWY_NOINLINE void ApplyToRow(const Linear<T>& map, const T* HWY_RESTRICT in, T* HWY_RESTRICT out) {
  size_t o = 0;
  const auto go = [&]<size_t kOut, size_t kBlocks>() HWY_ATTR {
    RowBlocks<T, kFinish, kOut, kBlocks>(map.weights + o * map.in, map.bias + o, in, map.in,
                                         out + o);
    o += kOut * kBlocks;
  };
  if (map.of_block != nullptr) return ApplyBlocksToRow<kFinish>(map, in, out);
  // As many sums at a time as hide how long an addition takes.
  while (map.out - o >= 4 * kBlockOut) go.template operator()<kBlockOut, 4>();
  while (map.out - o >= kBlockOut) go.template operator()<kBlockOut, 1>();
  while (map.out - o >= 4) go.template operator()<4, 1>();
  while (map.out - o >= 2) go.template operator()<2, 1>();
  while (map.out - o >= 1) go.template operator()<1, 1>();
}

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
