// Rows into tiles and back: the standardisation, and sums over a row's columns.
#if defined(SLUICED_ENGINE_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_ROWS_INL_H_
#undef SLUICED_ENGINE_ROWS_INL_H_
#else
#define SLUICED_ENGINE_ROWS_INL_H_
#endif

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "server/engine/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// A tile's unused lanes repeat its last row, so that they overflow only where a row
// does.
template <typename T>
void LoadRows(const T* rows, size_t count, size_t dim, const Tile& tile, T* out) {
  const size_t all = tile.vectors * kLanes<T>;
  for (size_t f = 0; f < dim; ++f) {
    T* to = out + f * tile.stride;
    for (size_t r = 0; r < count; ++r) to[r] = rows[r * dim + f];
    for (size_t r = count; r < all; ++r) to[r] = to[count - 1];
  }
}

template <typename T>
void StoreRows(const T* in, size_t count, size_t dim, const Tile& tile, T* rows) {
  for (size_t f = 0; f < dim; ++f) {
    const T* from = in + f * tile.stride;
    for (size_t r = 0; r < count; ++r) rows[r * dim + f] = from[r];
  }
}

// (x - shift) / scale by column.
template <typename T>
class ColumnMap {
 public:
  // Both empty: the identity.
  ColumnMap(const std::vector<double>& shifts, const std::vector<double>& scales) {
    for (double shift : shifts) shift_.push_back(static_cast<T>(shift));
    for (double scale : scales) {
      scale_.push_back(static_cast<T>(scale));
      ladj_ -= std::log(scale);
    }
  }

  T ladj() const { return static_cast<T>(ladj_); }

  void Forward(const Tile& tile, T* x) const {
    ForEach(tile, x, [](Vec<T> v, Vec<T> shift, Vec<T> scale) HWY_ATTR {
      return hn::Div(hn::Sub(v, shift), scale);
    });
  }
  void Backward(const Tile& tile, T* x) const {
    ForEach(tile, x, [](Vec<T> v, Vec<T> shift, Vec<T> scale) HWY_ATTR {
      return hn::Add(hn::Mul(v, scale), shift);
    });
  }
  // Of one column.
  Vec<T> BackwardOne(size_t column, Vec<T> u) const {
    const Tag<T> d;
    if (scale_.empty()) return u;
    return hn::Add(hn::Mul(u, hn::Set(d, scale_[column])), hn::Set(d, shift_[column]));
  }
  // Gradients in the flow's space out of those in the data's.
  void PullBack(const Tile& tile, T* gradient) const {
    ForEach(tile, gradient,
            [](Vec<T> v, Vec<T>, Vec<T> scale) HWY_ATTR { return hn::Mul(v, scale); });
  }

 private:
  template <typename F>
  void ForEach(const Tile& tile, T* x, F&& map) const {
    const Tag<T> d;
    for (size_t f = 0; f < scale_.size(); ++f) {
      for (size_t v = 0; v < tile.vectors; ++v) {
        T* at = x + f * tile.stride + v * kLanes<T>;
        hn::Store(map(hn::Load(d, at), hn::Set(d, shift_[f]), hn::Set(d, scale_[f])), d, at);
      }
    }
  }

  std::vector<T> shift_, scale_;
  double ladj_ = 0;
};

// log N(z; 0, I) of every row into out [stride].
template <typename T>
void BaseLogDensity(const T* z, size_t dim, const Tile& tile, T* out) {
  const Tag<T> d;
  const double log_normalizer = 0.5 * std::log(2 * std::numbers::pi);
  const Vec<T> constant = hn::Set(d, static_cast<T>(static_cast<double>(dim) * log_normalizer));
  for (size_t v = 0; v < tile.vectors; ++v) {
    Vec<T> squares = hn::Zero(d);
    for (size_t f = 0; f < dim; ++f) {
      const Vec<T> one = hn::Load(d, z + f * tile.stride + v * kLanes<T>);
      squares = hn::MulAdd(one, one, squares);
    }
    hn::Store(hn::Sub(hn::Mul(squares, hn::Set(d, static_cast<T>(-0.5))), constant), d,
              out + v * kLanes<T>);
  }
}

// NaN and +inf arise from overflow alone: such a point has no density here.
template <typename T>
T WithoutOverflow(T log_prob) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  return log_prob < kInfinity ? log_prob : -kInfinity;
}

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
