// What conditioners read: columns, a circle's as cosine and sine, and context, gathered
// from a tile.
#if defined(SLUICED_ENGINE_FEATURES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_FEATURES_INL_H_
#undef SLUICED_ENGINE_FEATURES_INL_H_
#else
#define SLUICED_ENGINE_FEATURES_INL_H_
#endif

#include <algorithm>
#include <utility>
#include <vector>

#include "server/engine/simd/math-inl.h"
#include "server/engine/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// An input of a conditioner, by its place in a frame's state. The sine of a column stands
// behind its cosine.
struct Feature {
  enum class Kind { kPlain, kCosine, kSine };
  size_t place;
  Kind kind = Kind::kPlain;
};

template <typename T>
class Features {
 public:
  // `bound`: of circles, which go round [-bound, bound).
  Features(std::vector<Feature> all, double bound)
      : all_(std::move(all)),
        turn_(static_cast<T>(2 * bound)),
        angle_(static_cast<T>(3.14159265358979323846 / bound)) {
    for (size_t i = 0; i < all_.size(); ++i) {
      in_place_ = in_place_ && all_[i].kind == Feature::Kind::kPlain &&
                  (i == 0 || all_[i].place == all_[i - 1].place + 1);
    }
  }

  size_t size() const { return all_.size(); }
  // Those of the column, or context, at this place.
  size_t FeaturesOf(size_t place) const {
    return static_cast<size_t>(std::count_if(
        all_.begin(), all_.end(), [=](const Feature& one) { return one.place == place; }));
  }

  // Features [first, first + count), feature i to out + i * stride.
  void Gather(const Tile& tile, const T* state, size_t first, size_t count, T* out) const {
    for (size_t i = first; i < first + count; ++i) {
      const T* from = state + all_[i].place * tile.stride;
      T* to = out + i * tile.stride;
      if (all_[i].kind == Feature::Kind::kPlain) {
        std::copy_n(from, tile.vectors * kLanes<T>, to);
      } else {
        GoRound(tile, all_[i].kind, from, to);
      }
    }
  }
  // Where all stand in the state or, if they do not, gathered to `out`.
  const T* InPlaceOrGathered(const Tile& tile, const T* state, T* out) const {
    if (all_.empty()) return state;
    if (in_place_) return state + all_[0].place * tile.stride;
    Gather(tile, state, 0, size(), out);
    return out;
  }

  // The gradient by features [first, first + count), all of columns, goes where it is to be
  // added: `own` [count], zero, from which AddGradient brings it to `gradient`; or, in
  // place, there at once.
  T* GradientStart(const Tile& tile, size_t first, size_t count, T* gradient, T* own) const {
    if (in_place_ && count > 0) return gradient + all_[first].place * tile.stride;
    std::fill_n(own, count * tile.stride, T{0});
    return own;
  }
  void AddGradient(const Tile& tile, const T* features, size_t first, size_t count, const T* own,
                   T* gradient) const {
    if (in_place_) return;
    for (size_t i = first; i < first + count; ++i) {
      const T* by = own + (i - first) * tile.stride;
      T* to = gradient + all_[i].place * tile.stride;
      if (all_[i].kind == Feature::Kind::kPlain) {
        AddProduct(tile, by, nullptr, T{1}, to);
      } else if (all_[i].kind == Feature::Kind::kCosine) {
        AddProduct(tile, by, features + (i + 1) * tile.stride, -angle_, to);
      } else {
        AddProduct(tile, by, features + (i - 1) * tile.stride, angle_, to);
      }
    }
  }

 private:
  void GoRound(const Tile& tile, Feature::Kind kind, const T* from, T* to) const {
    const Tag<T> d;
    const Vec<T> turn = hn::Set(d, turn_), angle = hn::Set(d, angle_);
    const Vec<T> per_turn = hn::Set(d, 1 / turn_);
    for (size_t v = 0; v < tile.vectors; ++v) {
      const Vec<T> x = hn::Load(d, from + v * kLanes<T>);
      // Where there are more turns than digits nothing is left of the point.
      Vec<T> rest = hn::NegMulAdd(hn::Round(hn::Mul(x, per_turn)), turn, x);
      rest = hn::Min(turn, hn::Max(hn::Neg(turn), rest));
      const Vec<T> at = hn::Mul(rest, angle);
      hn::Store(kind == Feature::Kind::kCosine ? hn::Cos(d, at) : hn::Sin(d, at), d,
                to + v * kLanes<T>);
    }
  }

  // to += factor * a * b; b null: 1.
  static void AddProduct(const Tile& tile, const T* a, const T* b, T factor, T* to) {
    const Tag<T> d;
    for (size_t v = 0; v < tile.vectors; ++v) {
      const size_t at = v * kLanes<T>;
      Vec<T> product = hn::Mul(hn::Load(d, a + at), hn::Set(d, factor));
      if (b != nullptr) product = hn::Mul(product, hn::Load(d, b + at));
      hn::Store(hn::Add(hn::Load(d, to + at), product), d, to + at);
    }
  }

  const std::vector<Feature> all_;
  const T turn_, angle_;
  bool in_place_ = true;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
