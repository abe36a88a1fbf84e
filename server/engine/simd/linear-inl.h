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

// Inputs [first, first + count) of a map.
struct Inputs {
  size_t first, count;
};

// Packed weights, as Pack leaves them. bias null: zero. of_block: the inputs that each
// block of outputs needs, all that are packed for it; null: all.
template <typename T>
struct Linear {
  const T* weights;
  const T* bias;
  size_t in, out;
  const Inputs* of_block = nullptr;
};

// What becomes of the outputs. `sums`, unless null: a vector an output, to which the
// rows' results are added lane by lane.
template <typename T>
struct Ending {
  const T* gate = nullptr;
  T* sums = nullptr;
};

// Outputs [0, n) are cut into blocks of kBlockOut and, at the end, of 4, 2 and 1.
inline size_t BlockAt(size_t output, size_t outputs) {
  size_t block = kBlockOut;
  while (block > outputs - output) block /= 2;
  return block;
}

// go.operator()<n>() for a block of n outputs.
template <typename Go>
HWY_INLINE void WithBlock(size_t block, Go&& go) {
  if (block == kBlockOut) {
    go.template operator()<kBlockOut>();
  } else if (kBlockOut > 4 && block == 4) {
    go.template operator()<4>();
  } else if (block == 2) {
    go.template operator()<2>();
  } else {
    go.template operator()<1>();
  }
}

// weight(o) points to the weights of output o, one an input.
template <typename T, typename Weight>
void Pack(size_t in, size_t out, const Inputs* of_block, Weight&& weight, T* HWY_RESTRICT packed) {
  for (size_t o = 0; o < out;) {
    const size_t block = BlockAt(o, out);
    const T* from[kBlockOut];
    for (size_t k = 0; k < block; ++k) from[k] = weight(o + k);
    const Inputs needed = of_block == nullptr ? Inputs{0, in} : *of_block++;
    for (size_t i = needed.first; i < needed.first + needed.count; ++i, packed += block) {
      if (block == kBlockOut) {
        SLUICED_UNROLL for (size_t k = 0; k < kBlockOut; ++k) packed[k] = from[k][i];
      } else {
        for (size_t k = 0; k < block; ++k) packed[k] = from[k][i];
      }
    }
    o += block;
  }
}

// The same of the transposed map: weight(i) points to the weights of input i, one an
// output.
template <typename T, typename Weight>
void PackTransposed(size_t in, size_t out, const Inputs* of_block, Weight&& weight,
                    T* HWY_RESTRICT packed) {
  for (size_t o = 0; o < out;) {
    const size_t block = BlockAt(o, out);
    const Inputs needed = of_block == nullptr ? Inputs{0, in} : *of_block++;
    for (size_t i = needed.first; i < needed.first + needed.count; ++i, packed += block) {
      // Of a length that the compiler knows, as nearly all are.
      if (block == kBlockOut) {
        std::copy_n(weight(i) + o, kBlockOut, packed);
      } else {
        std::copy_n(weight(i) + o, block, packed);
      }
    }
    o += block;
  }
}

template <typename T, Finish kFinish, size_t kOut, size_t kVectors>
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
      if constexpr (kFinish == Finish::kLeaky) {
        value = hn::Max(value, hn::Mul(value, slope));
      } else if constexpr (kFinish == Finish::kGate) {
        const Vec<T> gate = hn::Load(d, ending.gate + at);
        value = hn::IfThenElse(hn::Gt(gate, hn::Zero(d)), value, hn::Mul(value, slope));
        row_sum = hn::Add(row_sum, value);
      } else if constexpr (kFinish == Finish::kAdd) {
        value = hn::Add(value, hn::Load(d, out + at));
      }
      hn::Store(value, d, out + at);
    }
    if (kFinish == Finish::kGate && ending.sums != nullptr) {
      T* to = ending.sums + o * lanes;
      hn::Store(hn::Add(hn::Load(d, to), row_sum), d, to);
    }
  }
}

// One input's products with kOut weights.
template <typename T, size_t kOut, size_t kVectors>
HWY_INLINE void AddProducts(const T* HWY_RESTRICT weights, const T* HWY_RESTRICT in,
                            Vec<T> (&sum)[kOut][kVectors]) {
  const Tag<T> d;
  Vec<T> x[kVectors];
  SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) x[v] = hn::Load(d, in + v * hn::Lanes(d));
  SLUICED_UNROLL for (size_t o = 0; o < kOut; ++o) {
    const Vec<T> weight = hn::Set(d, weights[o]);
    SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) {
      sum[o][v] = hn::MulAdd(weight, x[v], sum[o][v]);
    }
  }
}

// Of few outputs every other input is summed apart, or each addition would wait for the
// last one.
template <size_t kOut>
constexpr bool kApart = kOut < 4;

// Adds to the sums of one register block, kOut outputs of kVectors vectors of rows, the
// products of `count` inputs.
template <typename T, size_t kOut, size_t kVectors>
HWY_INLINE void SumProducts(const T* HWY_RESTRICT weights, const T* HWY_RESTRICT in, size_t count,
                            size_t stride, Vec<T> (&sum)[kOut][kVectors]) {
  const Tag<T> d;
  size_t i = 0;
  if constexpr (kApart<kOut>) {
    Vec<T> apart[kOut][kVectors];
    SLUICED_UNROLL for (size_t o = 0; o < kOut; ++o) {
      SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) apart[o][v] = hn::Zero(d);
    }
    for (; i + 2 <= count; i += 2, weights += 2 * kOut, in += 2 * stride) {
      AddProducts<T>(weights, in, sum);
      AddProducts<T>(weights + kOut, in + stride, apart);
    }
    if (i < count) AddProducts<T>(weights, in, sum);
    SLUICED_UNROLL for (size_t o = 0; o < kOut; ++o) {
      SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) {
        sum[o][v] = hn::Add(sum[o][v], apart[o][v]);
      }
    }
  } else {
    for (; i < count; ++i, weights += kOut, in += stride) AddProducts<T>(weights, in, sum);
  }
}

// bias null: zero.
template <typename T, size_t kOut, size_t kVectors>
HWY_INLINE void StartAtBias(const T* bias, Vec<T> (&sum)[kOut][kVectors]) {
  const Tag<T> d;
  SLUICED_UNROLL for (size_t o = 0; o < kOut; ++o) {
    const Vec<T> start = bias == nullptr ? hn::Zero(d) : hn::Set(d, bias[o]);
    SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) sum[o][v] = start;
  }
}

// One register block. The sums begin at the bias or, when they go on, at what earlier
// inputs left in out.
template <typename T, Finish kFinish, bool kGoesOn, size_t kOut, size_t kVectors>
HWY_INLINE void Block(const T* HWY_RESTRICT weights, const T* HWY_RESTRICT bias,
                      const T* HWY_RESTRICT in, size_t count, size_t stride, T* HWY_RESTRICT out,
                      const Ending<T>& ending) {
  Vec<T> sum[kOut][kVectors];
  if constexpr (kGoesOn) {
    const Tag<T> d;
    SLUICED_UNROLL for (size_t o = 0; o < kOut; ++o) {
      SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) {
        sum[o][v] = hn::Load(d, out + o * stride + v * hn::Lanes(d));
      }
    }
  } else {
    StartAtBias<T>(bias, sum);
  }
  SumProducts<T>(weights, in, count, stride, sum);
  FinishBlock<T, kFinish>(sum, stride, out, ending);
}

// What both contain; if nothing, none from the second's first one.
inline Inputs Common(const Inputs& a, const Inputs& b) {
  const size_t first = std::max(a.first, b.first);
  const size_t end = std::min(a.first + a.count, b.first + b.count);
  return end > first ? Inputs{first, end - first} : Inputs{b.first, 0};
}

// All outputs of kVectors vectors of rows, as far as some inputs bring them.
template <typename T, Finish kFinish, bool kGoesOn, size_t kVectors>
HWY_NOINLINE void Strip(const Linear<T>& map, const Inputs& inputs, const T* HWY_RESTRICT in,
                        size_t stride, T* HWY_RESTRICT out, Ending<T> ending) {
  const T* weights = map.weights;
  const T* bias = map.bias;
  const Inputs* of_block = map.of_block;
  for (size_t o = 0; o < map.out;) {
    const size_t block = BlockAt(o, map.out);
    const Inputs packed = of_block == nullptr ? Inputs{0, map.in} : *of_block++;
    const Inputs both = Common(inputs, packed);
    const T* from = weights + (both.first - packed.first) * block;
    const T* read = in + both.first * stride;
    WithBlock(block, [&]<size_t kOut>() HWY_ATTR {
      Block<T, kFinish, kGoesOn, kOut, kVectors>(from, bias, read, both.count, stride, out, ending);
    });
    o += block;
    weights += block * packed.count;
    if (bias != nullptr) bias += block;
    out += block * stride;
    if (ending.gate != nullptr) ending.gate += block * stride;
    if (ending.sums != nullptr) ending.sums += block * kLanes<T>;
  }
}

template <Finish kFinish, bool kGoesOn, typename T>
void ApplyToInputs(const Linear<T>& map, const Inputs& inputs, const T* in, const Tile& tile,
                   T* out, const Ending<T>& ending) {
  for (size_t v = 0; v < tile.vectors;) {
    const size_t at = v * kLanes<T>, strip = StripAt(v, tile.vectors);
    const Ending<T> here = {ending.gate == nullptr ? nullptr : ending.gate + at, ending.sums};
    WithStrip(strip, [&]<size_t kVectors>() HWY_ATTR {
      Strip<T, kFinish, kGoesOn, kVectors>(map, inputs, in + at, tile.stride, out + at, here);
    });
    v += strip;
  }
}

// Inputs that stay in the first cache, with a strip of rows.
template <typename T>
constexpr size_t kFittingInputs = (24 << 10) / (kBlockVectors * kLanes<T> * sizeof(T));

// in [map.in] features, out [map.out] features. Each output adds its products in the
// same order, whatever the rows of the tile: a row's bits depend on no other row.
// Inputs are taken as many at a time as fit.
template <Finish kFinish, typename T>
void Apply(const Linear<T>& map, const T* in, const Tile& tile, T* out,
           const Ending<T>& ending = {}) {
  constexpr size_t kFitting = kFittingInputs<T>;
  if (map.in <= kFitting) {
    return ApplyToInputs<kFinish, false>(map, {0, map.in}, in, tile, out, ending);
  }
  // What is added to `out` goes on there by itself.
  constexpr bool kAdds = kFinish == Finish::kAdd;
  constexpr Finish kSoFar = kAdds ? Finish::kAdd : Finish::kStore;
  ApplyToInputs<kSoFar, false>(map, {0, kFitting}, in, tile, out, {});
  size_t first = kFitting;
  for (; map.in - first > kFitting; first += kFitting) {
    ApplyToInputs<kSoFar, !kAdds>(map, {first, kFitting}, in, tile, out, {});
  }
  ApplyToInputs<kFinish, !kAdds>(map, {first, map.in - first}, in, tile, out, ending);
}

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
