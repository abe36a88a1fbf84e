// What a layer does with its nets' results, element by element, and the way back.
#if defined(SLUICED_ENGINE_COUPLING_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_COUPLING_INL_H_
#undef SLUICED_ENGINE_COUPLING_INL_H_
#else
#define SLUICED_ENGINE_COUPLING_INL_H_
#endif

#include "server/engine/simd/math-inl.h"
#include "server/engine/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// What the way back needs, each [transformed, stride]; null: not kept.
template <typename T>
struct Kept {
  T* values = nullptr;   // The layer's result.
  T* factor = nullptr;   // What it multiplied with, exp(s) or exp(-s).
  T* product = nullptr;  // FromBase: factor times what came in.
  T* slope = nullptr;    // ds / d(raw s)
};

// s = b tanh(raw / b), or raw where b is 0.
template <typename T>
struct Bound {
  T bound, inverse;

  HWY_INLINE void Apply(Vec<T> raw, Vec<T>& s, Vec<T>& slope) const {
    const Tag<T> d;
    s = raw;
    slope = hn::Set(d, T{1});
    if (bound == T{0}) return;
    const Vec<T> tanh = Tanh<T>(hn::Mul(raw, hn::Set(d, inverse)));
    s = hn::Mul(tanh, hn::Set(d, bound));
    slope = hn::NegMulAdd(tanh, tanh, slope);
  }
};

enum class Direction { kToBase, kFromBase };

// `nets` [2 * columns]: raw log-scales, then shifts. in -> out (they may be the
// same), and the log-scales added to scale_sum [stride].
template <typename T, Direction kDirection>
void Couple(const Bound<T>& bound, const T* nets, size_t columns, const Tile& tile, const T* in,
            T* out, T* scale_sum, const Kept<T>& kept) {
  const Tag<T> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t f = 0; f < columns; ++f) {
    for (size_t v = 0; v < tile.vectors; ++v) {
      const size_t at = f * tile.stride + v * lanes;
      Vec<T> s, slope;
      bound.Apply(hn::Load(d, nets + at), s, slope);
      const Vec<T> shift = hn::Load(d, nets + columns * tile.stride + at);
      const Vec<T> x = hn::Load(d, in + at);
      Vec<T> factor;
      if constexpr (kDirection == Direction::kToBase) {
        factor = Exp<T>(hn::Neg(s));
        hn::Store(hn::Mul(hn::Sub(x, shift), factor), d, out + at);
      } else {
        factor = Exp<T>(s);
        const Vec<T> product = hn::Mul(x, factor);
        hn::Store(hn::Add(product, shift), d, out + at);
        if (kept.product != nullptr) hn::Store(product, d, kept.product + at);
      }
      if (kept.factor != nullptr) {
        hn::Store(factor, d, kept.factor + at);
        hn::Store(slope, d, kept.slope + at);
      }
      T* sum = scale_sum + v * lanes;
      hn::Store(hn::Add(hn::Load(d, sum), s), d, sum);
    }
  }
}

// From `gradient`, of the layer's result, which becomes that of what came in, to
// `delta` [2 * columns], that of the nets' results. The loss itself contains
// weight[r] * s of every row r and column in ToBase, minus it in FromBase.
template <typename T, Direction kDirection>
void Uncouple(const Kept<T>& kept, size_t columns, const Tile& tile, const T* weight, T* gradient,
              T* delta) {
  const Tag<T> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t f = 0; f < columns; ++f) {
    for (size_t v = 0; v < tile.vectors; ++v) {
      const size_t at = f * tile.stride + v * lanes;
      const Vec<T> g = hn::Load(d, gradient + at);
      const Vec<T> w = hn::Load(d, weight + v * lanes);
      const Vec<T> back = hn::Mul(g, hn::Load(d, kept.factor + at));
      Vec<T> scale, shift;
      if constexpr (kDirection == Direction::kToBase) {
        scale = hn::NegMulAdd(g, hn::Load(d, kept.values + at), w);
        shift = hn::Neg(back);
      } else {
        scale = hn::Sub(hn::Mul(g, hn::Load(d, kept.product + at)), w);
        shift = g;
      }
      hn::Store(hn::Mul(scale, hn::Load(d, kept.slope + at)), d, delta + at);
      hn::Store(shift, d, delta + columns * tile.stride + at);
      hn::Store(back, d, gradient + at);
    }
  }
}

// The way back through ToBase by what FromBase kept: of the same layer, on the same
// points. The loss contains minus weight[r] * s.
template <typename T>
void UncoupleInverse(const Kept<T>& kept, size_t columns, const Tile& tile, const T* weight,
                     T* gradient, T* delta) {
  const Tag<T> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t f = 0; f < columns; ++f) {
    for (size_t v = 0; v < tile.vectors; ++v) {
      const size_t at = f * tile.stride + v * lanes;
      const Vec<T> w = hn::Load(d, weight + v * lanes);
      const Vec<T> back = hn::Div(hn::Load(d, gradient + at), hn::Load(d, kept.factor + at));
      const Vec<T> scale = hn::Neg(hn::MulAdd(back, hn::Load(d, kept.product + at), w));
      hn::Store(hn::Mul(scale, hn::Load(d, kept.slope + at)), d, delta + at);
      hn::Store(hn::Neg(back), d, delta + columns * tile.stride + at);
      hn::Store(back, d, gradient + at);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
