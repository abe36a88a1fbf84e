// The linear maps: out = W in + bias on a tile. The weights are packed so that the
// innermost loop reads them in order: block by block of outputs, all inputs of one
// block, its outputs side by side.
#if defined(SLUICED_ENGINE_LINEAR_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_LINEAR_INL_H_
#undef SLUICED_ENGINE_LINEAR_INL_H_
#else
#define SLUICED_ENGINE_LINEAR_INL_H_
#endif

#include <algorithm>

#include "server/engine/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

enum class Finish {
  kStore,
  kLeaky,  // Through LeakyReLU.
  kGate,   // Times LeakyReLU's slope where `gate` stands for its result.
  kAdd,    // Added to what is there.
};

// Packed weights, as Pack leaves them. bias null: zero.
template <typename T>
struct Linear {
  const T* weights;
  const T* bias;
  size_t in, out;
};

// What becomes of the outputs. `sums`, unless null: a vector an output, to which the
// rows' results are added lane by lane.
template <typename T>
struct Ending {
  Finish finish;
  const T* gate = nullptr;
  T* sums = nullptr;
};

// Outputs [0, n) are cut into blocks of kBlockOut and, at the end, of 4, 2 and 1.
inline size_t BlockAt(size_t output, size_t outputs) {
  size_t block = kBlockOut;
  while (block > outputs - output) block /= 2;
  return block;
}

// weight(o) points to the weights of output o, one an input.
template <typename T, typename Weight>
void Pack(size_t in, size_t out, Weight&& weight, T* HWY_RESTRICT packed) {
  for (size_t o = 0; o < out;) {
    const size_t block = BlockAt(o, out);
    const T* from[kBlockOut];
    for (size_t k = 0; k < block; ++k) from[k] = weight(o + k);
    for (size_t i = 0; i < in; ++i, packed += block) {
      for (size_t k = 0; k < block; ++k) packed[k] = from[k][i];
    }
    o += block;
  }
}

// The same of the transposed map: weight(i) points to the weights of input i, one an
// output.
template <typename T, typename Weight>
void PackTransposed(size_t in, size_t out, Weight&& weight, T* HWY_RESTRICT packed) {
  for (size_t o = 0; o < out;) {
    const size_t block = BlockAt(o, out);
    for (size_t i = 0; i < in; ++i, packed += block) std::copy_n(weight(i) + o, block, packed);
    o += block;
  }
}

template <typename T, size_t kOut, size_t kVectors>
HWY_INLINE void FinishBlock(const Vec<T> (&sum)[kOut][kVectors], size_t stride, T* HWY_RESTRICT out,
                            const Ending<T>& ending) {
  const Tag<T> d;
  const Vec<T> slope = hn::Set(d, static_cast<T>(kLeakySlope));
  const size_t lanes = hn::Lanes(d);
  SLUICED_UNROLL for (size_t o = 0; o < kOut; ++o) {
    Vec<T> row_sum = hn::Zero(d);
    SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) {
      const size_t at = o * stride + v * lanes;
      Vec<T> value = sum[o][v];
      switch (ending.finish) {
        case Finish::kStore:
          break;
        case Finish::kLeaky:
          value = hn::Max(value, hn::Mul(value, slope));
          break;
        case Finish::kGate: {
          const Vec<T> gate = hn::Load(d, ending.gate + at);
          value = hn::IfThenElse(hn::Gt(gate, hn::Zero(d)), value, hn::Mul(value, slope));
          row_sum = hn::Add(row_sum, value);
          break;
        }
        case Finish::kAdd:
          value = hn::Add(value, hn::Load(d, out + at));
          break;
      }
      hn::Store(value, d, out + at);
    }
    if (ending.sums != nullptr) {
      T* to = ending.sums + o * lanes;
      hn::Store(hn::Add(hn::Load(d, to), row_sum), d, to);
    }
  }
}

// One register block: kOut outputs of kVectors vectors of rows.
template <typename T, size_t kOut, size_t kVectors>
HWY_NOINLINE void Block(const T* HWY_RESTRICT weights, const T* HWY_RESTRICT bias,
                        const T* HWY_RESTRICT in, size_t count, size_t stride, T* HWY_RESTRICT out,
                        const Ending<T>& ending) {
  const Tag<T> d;
  const size_t lanes = hn::Lanes(d);
  Vec<T> sum[kOut][kVectors];
  SLUICED_UNROLL for (size_t o = 0; o < kOut; ++o) {
    const Vec<T> start = bias == nullptr ? hn::Zero(d) : hn::Set(d, bias[o]);
    SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) sum[o][v] = start;
  }
  for (size_t i = 0; i < count; ++i) {
    Vec<T> x[kVectors];
    SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) x[v] = hn::Load(d, in + v * lanes);
    SLUICED_UNROLL for (size_t o = 0; o < kOut; ++o) {
      const Vec<T> weight = hn::Set(d, weights[o]);
      SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) {
        sum[o][v] = hn::MulAdd(weight, x[v], sum[o][v]);
      }
    }
    weights += kOut;
    in += stride;
  }
  // One copy of the ending a kind, so that its loop is free of branches.
  switch (ending.finish) {
    case Finish::kStore:
      return FinishBlock<T, kOut, kVectors>(sum, stride, out, {Finish::kStore});
    case Finish::kLeaky:
      return FinishBlock<T, kOut, kVectors>(sum, stride, out, {Finish::kLeaky});
    case Finish::kGate:
      return FinishBlock<T, kOut, kVectors>(sum, stride, out,
                                            {Finish::kGate, ending.gate, ending.sums});
    case Finish::kAdd:
      return FinishBlock<T, kOut, kVectors>(sum, stride, out, {Finish::kAdd});
  }
}

template <typename T, size_t kVectors>
void BlockOf(size_t block, const T* weights, const T* bias, const T* in, size_t count,
             size_t stride, T* out, const Ending<T>& ending) {
  if constexpr (kBlockOut == 8) {
    if (block == 8) {
      return Block<T, 8, kVectors>(weights, bias, in, count, stride, out, ending);
    }
  }
  switch (block) {
    case 4:
      return Block<T, 4, kVectors>(weights, bias, in, count, stride, out, ending);
    case 2:
      return Block<T, 2, kVectors>(weights, bias, in, count, stride, out, ending);
    default:
      return Block<T, 1, kVectors>(weights, bias, in, count, stride, out, ending);
  }
}

// in [map.in] features, out [map.out] features. Each output adds its products in
// the order of the inputs, whatever the blocks: a row's bits depend on no other row.
template <typename T>
void Apply(const Linear<T>& map, const T* in, const Tile& tile, T* out, const Ending<T>& ending) {
  constexpr size_t kL = kLanes<T>;
  for (size_t o = 0; o < map.out;) {
    const size_t block = BlockAt(o, map.out);
    const T* weights = map.weights + o * map.in;
    const T* bias = map.bias == nullptr ? nullptr : map.bias + o;
    for (size_t v = 0; v < tile.vectors;) {
      const size_t vectors = HWY_MIN(tile.vectors - v, kBlockVectors);
      Ending<T> here = ending;
      if (here.gate != nullptr) here.gate += o * tile.stride + v * kL;
      if (here.sums != nullptr) here.sums += o * kL;
      const T* from = in + v * kL;
      T* to = out + o * tile.stride + v * kL;
      if (vectors == 3) {
        BlockOf<T, 3>(block, weights, bias, from, map.in, tile.stride, to, here);
      } else if (vectors == 2) {
        BlockOf<T, 2>(block, weights, bias, from, map.in, tile.stride, to, here);
      } else {
        BlockOf<T, 1>(block, weights, bias, from, map.in, tile.stride, to, here);
      }
      v += vectors;
    }
    o += block;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
