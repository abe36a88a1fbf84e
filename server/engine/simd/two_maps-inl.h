// The last hidden layer and, in the same pass, a map of one or two outputs behind it: what
// only the second one reads need not be stored. On some cores a store takes the time of
// two multiply-adds.
#if defined(SLUICED_ENGINE_TWO_MAPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_TWO_MAPS_INL_H_
#undef SLUICED_ENGINE_TWO_MAPS_INL_H_
#else
#define SLUICED_ENGINE_TWO_MAPS_INL_H_
#endif

#include "server/engine/simd/linear-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// The second map's sums of a strip: of every other input apart, as SumProducts does of so few
// outputs, so that a row has the same bits either way. Every block begins with an even input.
template <typename T, size_t kLast, size_t kVectors>
struct LastSums {
  static_assert(kApart<kLast>);

  HWY_ALIGN_MAX T of[2][kLast][kVectors * kLanes<T>];

  void Start(const T* bias) {
    const Tag<T> d;
    SLUICED_UNROLL for (size_t l = 0; l < kLast; ++l) {
      SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) {
        hn::Store(hn::Set(d, bias[l]), d, of[0][l] + v * kLanes<T>);
        hn::Store(hn::Zero(d), d, of[1][l] + v * kLanes<T>);
      }
    }
  }

  // weights: of kOut inputs, kLast each.
  template <size_t kOut>
  HWY_INLINE void Add(const T* HWY_RESTRICT weights, const Vec<T> (&value)[kOut][kVectors]) {
    const Tag<T> d;
    constexpr size_t kParts = HWY_MIN(kOut, size_t{2});
    SLUICED_UNROLL for (size_t l = 0; l < kLast; ++l) {
      SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) {
        SLUICED_UNROLL for (size_t part = 0; part < kParts; ++part) {
          T* to = of[part][l] + v * kLanes<T>;
          Vec<T> sum = hn::Load(d, to);
          SLUICED_UNROLL for (size_t o = part; o < kOut; o += 2) {
            sum = hn::MulAdd(hn::Set(d, weights[o * kLast + l]), value[o][v], sum);
          }
          hn::Store(sum, d, to);
        }
      }
    }
  }

  void Finish(size_t stride, T* out) const {
    const Tag<T> d;
    SLUICED_UNROLL for (size_t l = 0; l < kLast; ++l) {
      SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) {
        const size_t at = v * kLanes<T>;
        hn::Store(hn::Add(hn::Load(d, of[0][l] + at), hn::Load(d, of[1][l] + at)), d,
                  out + l * stride + at);
      }
    }
  }
};

// Of kVectors vectors of rows: `hidden` through LeakyReLU to `kept`, unless null, and
// `last` of it to out.
template <typename T, size_t kLast, bool kKept, size_t kVectors>
HWY_NOINLINE void TwoMapsStrip(const Linear<T>& hidden, const Linear<T>& last,
                               const T* HWY_RESTRICT in, size_t stride, T* HWY_RESTRICT kept,
                               T* HWY_RESTRICT out) {
  const Tag<T> d;
  const size_t lanes = hn::Lanes(d);
  const Vec<T> slope = hn::Set(d, static_cast<T>(kLeakySlope));
  const T* weights = hidden.weights;
  LastSums<T, kLast, kVectors> sums;
  sums.Start(last.bias);
  for (size_t o = 0; o < hidden.out;) {
    WithBlock(BlockAt(o, hidden.out), [&]<size_t kOut>() HWY_ATTR {
      Vec<T> value[kOut][kVectors];
      StartAtBias<T>(hidden.bias + o, value);
      SumProducts<T>(weights, in, hidden.in, stride, value);
      SLUICED_UNROLL for (size_t k = 0; k < kOut; ++k) {
        SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) {
          value[k][v] = hn::Max(value[k][v], hn::Mul(value[k][v], slope));
          if constexpr (kKept) hn::Store(value[k][v], d, kept + (o + k) * stride + v * lanes);
        }
      }
      sums.template Add<kOut>(last.weights + o * kLast, value);
      o += kOut;
      weights += kOut * hidden.in;
    });
  }
  sums.Finish(stride, out);
}

// Whether ApplyTwo takes them: no masks, and inputs that Apply would not part.
template <typename T>
bool CanApplyTwo(const Linear<T>& hidden, const Linear<T>& last) {
  return last.out <= 2 && hidden.of_block == nullptr && last.of_block == nullptr &&
         hidden.in <= kFittingInputs<T> && last.in <= kFittingInputs<T>;
}

template <size_t kLast, bool kKept, typename T>
void ApplyTwoStrips(const Linear<T>& hidden, const Linear<T>& last, const T* in, const Tile& tile,
                    T* kept, T* out) {
  for (size_t v = 0; v < tile.vectors;) {
    const size_t at = v * kLanes<T>, strip = StripAt(v, tile.vectors);
    WithStrip(strip, [&]<size_t kVectors>() HWY_ATTR {
      TwoMapsStrip<T, kLast, kKept, kVectors>(hidden, last, in + at, tile.stride,
                                              kKept ? kept + at : nullptr, out + at);
    });
    v += strip;
  }
}

// What Apply<kLeaky> of `hidden` to `kept` and Apply<kStore> of `last` to out do, of maps
// that CanApplyTwo. kept null: it is not stored.
template <typename T>
void ApplyTwo(const Linear<T>& hidden, const Linear<T>& last, const T* in, const Tile& tile,
              T* kept, T* out) {
  const auto go = [&]<size_t kLast>() {
    if (kept != nullptr) {
      ApplyTwoStrips<kLast, true>(hidden, last, in, tile, kept, out);
    } else {
      ApplyTwoStrips<kLast, false>(hidden, last, in, tile, kept, out);
    }
  };
  if (last.out == 1) {
    go.template operator()<1>();
  } else {
    go.template operator()<2>();
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
