// The maps of columns that a conditioner shifts, or scales and shifts: there, and the way
// back of the gradient.
#if defined(SLUICED_ENGINE_AFFINE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_AFFINE_INL_H_
#undef SLUICED_ENGINE_AFFINE_INL_H_
#else
#define SLUICED_ENGINE_AFFINE_INL_H_
#endif

#include "server/engine/simd/frame-inl.h"
#include "server/engine/simd/math-inl.h"
#include "server/engine/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

enum class Direction { kToBase, kFromBase };

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

// Maps of columns have in common: where a column's outputs and what is kept of it stand,
// in features; Move, of some columns in place, which adds to ladj that of the map to the
// base; and Pull, from the gradient of the result, which becomes that of what came in, to
// `delta`, that of the conditioner's outputs. kept: from the first column's.

// z = x - t
template <typename T>
class Additive {
 public:
  size_t OutputAt(size_t column) const { return column; }
  size_t KeptAt(size_t) const { return 0; }

  template <Direction kDirection>
  void Move(T* outputs, size_t first, size_t count, const Tile& tile, T* x, T*, T*) const {
    const Tag<T> d;
    for (size_t f = first; f < first + count; ++f) {
      for (size_t v = 0; v < tile.vectors; ++v) {
        const size_t at = f * tile.stride + v * kLanes<T>;
        const Vec<T> in = hn::Load(d, x + at), shift = hn::Load(d, outputs + at);
        hn::Store(kDirection == Direction::kToBase ? hn::Sub(in, shift) : hn::Add(in, shift), d,
                  x + at);
      }
    }
  }

  template <Way kWay>
  void Pull(const T*, size_t first, size_t count, const Tile& tile, const Loss<T>&, T* gradient,
            T* delta) const {
    const Tag<T> d;
    for (size_t f = first; f < first + count; ++f) {
      for (size_t v = 0; v < tile.vectors; ++v) {
        const size_t at = f * tile.stride + v * kLanes<T>;
        const Vec<T> g = hn::Load(d, gradient + at);
        hn::Store(kWay == Way::kFromBase ? g : hn::Neg(g), d, delta + at);
      }
    }
  }
};

// z = (x - t) exp(-s)
template <typename T>
class Affine {
 public:
  // The log-scale of column f is output f * step, its shift `shift` further.
  Affine(Bound<T> bound, size_t step, size_t shift) : bound_(bound), step_(step), shift_(shift) {}

  size_t OutputAt(size_t column) const { return column * step_; }
  size_t KeptAt(size_t column) const { return column * kKept; }

  template <Direction kDirection>
  void Move(T* outputs, size_t first, size_t count, const Tile& tile, T* x, T* ladj,
            T* kept) const {
    const Tag<T> d;
    for (size_t f = first; f < first + count; ++f) {
      const T* scales = outputs + f * step_ * tile.stride;
      const T* shifts = scales + shift_ * tile.stride;
      for (size_t v = 0; v < tile.vectors; ++v) {
        const size_t row = v * kLanes<T>;
        Vec<T> s, slope;
        bound_.Apply(hn::Load(d, scales + row), s, slope);
        const Vec<T> shift = hn::Load(d, shifts + row);
        T* const place = x + f * tile.stride + row;
        const Vec<T> in = hn::Load(d, place);
        Vec<T> factor, product, out;
        if constexpr (kDirection == Direction::kToBase) {
          factor = Exp<T>(hn::Neg(s));
          out = product = hn::Mul(hn::Sub(in, shift), factor);
        } else {
          factor = Exp<T>(s);
          product = hn::Mul(in, factor);
          out = hn::Add(product, shift);
        }
        hn::Store(out, d, place);
        if (kept != nullptr) {
          T* keep = kept + f * kKept * tile.stride + row;
          hn::Store(product, d, keep);
          hn::Store(factor, d, keep + tile.stride);
          hn::Store(slope, d, keep + 2 * tile.stride);
        }
        hn::Store(hn::Sub(hn::Load(d, ladj + row), s), d, ladj + row);
      }
    }
  }

  template <Way kWay>
  void Pull(const T* kept, size_t first, size_t count, const Tile& tile, const Loss<T>& loss,
            T* gradient, T* delta) const {
    const Tag<T> d;
    for (size_t f = first; f < first + count; ++f) {
      T* scales = delta + f * step_ * tile.stride;
      T* shifts = scales + shift_ * tile.stride;
      for (size_t v = 0; v < tile.vectors; ++v) {
        const size_t row = v * kLanes<T>;
        const T* keep = kept + f * kKept * tile.stride + row;
        T* const place = gradient + f * tile.stride + row;
        const Vec<T> g = hn::Load(d, place);
        const Vec<T> w = hn::Load(d, loss.ladj_slope + row);
        const Vec<T> product = hn::Load(d, keep), factor = hn::Load(d, keep + tile.stride);
        Vec<T> scale, shift, back;
        if constexpr (kWay == Way::kToBase) {
          back = hn::Mul(g, factor);
          scale = hn::Neg(hn::MulAdd(g, product, w));
          shift = hn::Neg(back);
        } else if constexpr (kWay == Way::kFromBase) {
          back = hn::Mul(g, factor);
          scale = hn::MulSub(g, product, w);
          shift = g;
        } else {
          back = hn::Div(g, factor);
          scale = hn::Neg(hn::MulAdd(back, product, w));
          shift = hn::Neg(back);
        }
        hn::Store(hn::Mul(scale, hn::Load(d, keep + 2 * tile.stride)), d, scales + row);
        hn::Store(shift, d, shifts + row);
        hn::Store(back, d, place);
      }
    }
  }

 private:
  // Features kept of a column: the product, which is the result in ToBase; what was
  // multiplied with, exp(s) or exp(-s); and ds / d(raw s).
  static constexpr size_t kKept = 3;

  Bound<T> bound_;
  size_t step_, shift_;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
