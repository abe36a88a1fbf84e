// What conditioners read: columns and context, gathered from a tile.
#if defined(SLUICED_ENGINE_FEATURES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_FEATURES_INL_H_
#undef SLUICED_ENGINE_FEATURES_INL_H_
#else
#define SLUICED_ENGINE_FEATURES_INL_H_
#endif

#include <algorithm>
#include <utility>
#include <vector>

#include "server/engine/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// Inputs of a conditioner, by their place in a frame's state; those of columns first,
// `columns` of them, context behind.
template <typename T>
class Features {
 public:
  Features(std::vector<size_t> places, size_t columns)
      : places_(std::move(places)), columns_(columns) {
    for (size_t i = 1; i < places_.size(); ++i) {
      side_by_side_ = side_by_side_ && places_[i] == places_[i - 1] + 1;
    }
  }

  void Gather(const Tile& tile, const T* state, T* out) const {
    for (size_t i = 0; i < places_.size(); ++i) {
      std::copy_n(state + places_[i] * tile.stride, tile.vectors * kLanes<T>,
                  out + i * tile.stride);
    }
  }
  // Where they stand in the state, or gathered to `out`.
  const T* InPlaceOrGathered(const Tile& tile, const T* state, T* out) const {
    if (places_.empty()) return state;
    if (side_by_side_) return state + places_[0] * tile.stride;
    Gather(tile, state, out);
    return out;
  }

  // Where the gradient by the columns' features is to be added, before AddGradient.
  T* GradientStart(const Tile& tile, T* gradient, T* own) const {
    if (columns_ == 0) return own;
    if (side_by_side_) return gradient + places_[0] * tile.stride;
    std::fill_n(own, columns_ * tile.stride, T{0});
    return own;
  }
  void AddGradient(const Tile& tile, const T*, const T* own, T* gradient) const {
    if (side_by_side_) return;
    const Tag<T> d;
    for (size_t i = 0; i < columns_; ++i) {
      for (size_t v = 0; v < tile.vectors; ++v) {
        T* to = gradient + places_[i] * tile.stride + v * kLanes<T>;
        hn::Store(hn::Add(hn::Load(d, to), hn::Load(d, own + i * tile.stride + v * kLanes<T>)), d,
                  to);
      }
    }
  }

 private:
  const std::vector<size_t> places_;
  const size_t columns_;
  bool side_by_side_ = true;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
