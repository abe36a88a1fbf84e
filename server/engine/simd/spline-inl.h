// Splines of columns (Durkan et al. 2019, arXiv:1906.04032), a vector of rows at a time,
// without a branch.
#if defined(SLUICED_ENGINE_SPLINE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_SPLINE_INL_H_
#undef SLUICED_ENGINE_SPLINE_INL_H_
#else
#define SLUICED_ENGINE_SPLINE_INL_H_
#endif

#include <utility>
#include <vector>

#include "server/engine/simd/affine-inl.h"
#include "server/engine/simd/math-inl.h"
#include "server/engine/simd/spline_piece-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

template <typename T>
class Splines {
 public:
  // periodic: of each column.
  Splines(size_t bins, double bound, std::vector<bool> periodic)
      : bins_(bins),
        bound_(static_cast<T>(bound)),
        share_(static_cast<T>(1 - flows::kLeastBin * static_cast<double>(bins))),
        periodic_(std::move(periodic)) {
    outputs_at_.push_back(0);
    for (const bool one : periodic_) {
      outputs_at_.push_back(outputs_at_.back() + 3 * bins_ - (one ? 0 : 1));
    }
  }

  size_t OutputAt(size_t column) const { return outputs_at_[column]; }
  size_t KeptAt(size_t column) const { return column * (2 * bins_ + SplinePiece<T>::kKept); }

  // May overwrite the outputs.
  template <Direction kDirection>
  void Move(T* outputs, size_t first, size_t count, const Tile& tile, T* x, T* ladj,
            T* kept) const {
    for (size_t f = first; f < first + count; ++f) {
      for (size_t v = 0; v < tile.vectors; ++v) {
        const size_t row = v * kLanes<T>;
        const Raw raw = {outputs + OutputAt(f) * tile.stride + row, tile.stride, periodic_[f]};
        T* keep = kept == nullptr ? nullptr : kept + KeptAt(f) * tile.stride + row;
        if (bins_ == kUsualBins) {
          MoveOne<kDirection, kUsualBins>(raw, x + f * tile.stride + row, ladj + row, keep);
        } else {
          MoveOne<kDirection, 0>(raw, x + f * tile.stride + row, ladj + row, keep);
        }
      }
    }
  }

  template <Way kWay>
  void Pull(const T* kept, size_t first, size_t count, const Tile& tile, const Loss<T>& loss,
            T* gradient, T* delta) const {
    for (size_t f = first; f < first + count; ++f) {
      for (size_t v = 0; v < tile.vectors; ++v) {
        const size_t row = v * kLanes<T>;
        const Raw to = {delta + OutputAt(f) * tile.stride + row, tile.stride, periodic_[f]};
        PullOne<kWay>(kept + KeptAt(f) * tile.stride + row, loss.ladj_slope + row,
                      gradient + f * tile.stride + row, to);
      }
    }
  }

 private:
  // So many bins stay in registers, where there are enough.
  static constexpr size_t kUsualBins = 8;

  // A column's outputs, of a vector of rows: `bins` widths, as many heights, slopes.
  struct Raw {
    T* at;
    size_t stride;
    bool periodic;
  };

  // The exponentials of a softmax: in registers or, of kBins 0, any number, at `memory`; there
  // too where they are to be kept.
  template <size_t kBins>
  struct Shares {
    T* memory;
    size_t stride;
    Vec<T> own[HWY_MAX(kBins, size_t{1})] = {};

    HWY_INLINE Vec<T> Get(size_t k) const {
      if constexpr (kBins > 0) return own[k];
      return hn::Load(Tag<T>(), memory + k * stride);
    }
    HWY_INLINE void Set(size_t k, Vec<T> share) {
      if constexpr (kBins > 0) own[k] = share;
      if (memory != nullptr) hn::Store(share, Tag<T>(), memory + k * stride);
    }
  };

  template <size_t kBins>
  HWY_INLINE size_t Bins() const {
    return kBins > 0 ? kBins : bins_;
  }

  // Only a number that the compiler knows is worth unrolling.
  template <size_t kBins, typename F>
  HWY_INLINE void ForBins(size_t first, F&& f) const {
    if constexpr (kBins > 0) {
      SLUICED_UNROLL for (size_t k = first; k < kBins; ++k) f(k);
    } else {
      for (size_t k = first; k < bins_; ++k) f(k);
    }
  }

  template <Direction kDirection, size_t kBins>
  HWY_NOINLINE void MoveOne(const Raw& raw, T* x, T* ladj, T* kept) const {
    const Tag<T> d;
    const Vec<T> point = hn::Load(d, x);
    const auto inside = hn::Le(hn::Abs(point), hn::Set(d, bound_));
    const Vec<T> safe = hn::IfThenElseZero(inside, point);
    T* to = kept == nullptr && kBins == 0 ? raw.at : kept;
    SplinePiece<T> piece = Find<kDirection, kBins>(raw, safe, to);
    const Vec<T> image =
        kDirection == Direction::kToBase ? piece.Forward(safe) : piece.Backward(safe);
    Vec<T> log_slope = hn::IfThenElseZero(inside, piece.LogSlope());
    hn::Store(hn::IfThenElse(inside, image, point), d, x);
    hn::Store(hn::Add(hn::Load(d, ladj), log_slope), d, ladj);
    if (kept == nullptr) return;
    piece.index = hn::IfThenElse(inside, piece.index, hn::Set(d, T{-1}));
    piece.Keep(kept + 2 * bins_ * raw.stride, raw.stride);
  }

  // exp(raw - the largest) to `shares`; returns what makes their sum 1.
  template <size_t kBins>
  HWY_INLINE Vec<T> Softmax(const T* raw, size_t stride, Shares<kBins>& shares) const {
    const Tag<T> d;
    Vec<T> largest = hn::Load(d, raw);
    ForBins<kBins>(
        1, [&](size_t k) HWY_ATTR { largest = hn::Max(largest, hn::Load(d, raw + k * stride)); });
    Vec<T> sum = hn::Zero(d);
    ForBins<kBins>(0, [&](size_t k) HWY_ATTR {
      const Vec<T> one = ExpOfNegative<T>(hn::Sub(hn::Load(d, raw + k * stride), largest));
      shares.Set(k, one);
      sum = hn::Add(sum, one);
    });
    return hn::Div(hn::Set(d, T{1}), sum);
  }

  // The raw slope at a knot; any number at the ends of a box.
  HWY_INLINE Vec<T> RawSlope(const Raw& raw, size_t knot) const {
    const Tag<T> d;
    const T* slopes = raw.at + 2 * bins_ * raw.stride;
    if (raw.periodic) return hn::Load(d, slopes + (knot == bins_ ? 0 : knot) * raw.stride);
    if (knot == 0 || knot == bins_) return hn::Zero(d);
    return hn::Load(d, slopes + (knot - 1) * raw.stride);
  }

  // The piece in which a point of the box lies: the last one whose first knot is not
  // beyond it. The exponentials of widths and heights to `to`; null: nowhere. Knots are the
  // sums of bins so far; both ends are set, so that no point falls between.
  template <Direction kDirection, size_t kBins>
  HWY_INLINE SplinePiece<T> Find(const Raw& raw, Vec<T> point, T* to) const {
    const Tag<T> d;
    const size_t stride = raw.stride, bins = Bins<kBins>();
    Shares<kBins> widths = {to, stride};
    Shares<kBins> heights = {to == nullptr ? nullptr : to + bins * stride, stride};
    SplinePiece<T> piece;
    piece.per_width = Softmax(raw.at, stride, widths);
    piece.per_height = Softmax(raw.at + bins * stride, stride, heights);
    const Vec<T> bound = hn::Set(d, bound_), one = hn::Set(d, T{1});
    const Vec<T> least = hn::Set(d, static_cast<T>(flows::kLeastBin) * 2 * bound_);
    const Vec<T> width = hn::Mul(piece.per_width, hn::Set(d, share_ * 2 * bound_));
    const Vec<T> height = hn::Mul(piece.per_height, hn::Set(d, share_ * 2 * bound_));
    Vec<T> x = hn::Neg(bound), y = x, slope = RawSlope(raw, 0);
    piece.x = piece.y = x;
    piece.index = hn::Neg(one);
    Vec<T> x_end = bound, y_end = bound, raw_slope = slope, raw_next = slope;
    ForBins<kBins>(0, [&](size_t k) HWY_ATTR {
      const bool last = k + 1 == bins;
      const Vec<T> w = hn::MulAdd(widths.Get(k), width, least);
      const Vec<T> h = hn::MulAdd(heights.Get(k), height, least);
      const Vec<T> x_next = last ? bound : hn::Add(x, w);
      const Vec<T> y_next = last ? bound : hn::Add(y, h);
      const Vec<T> next = RawSlope(raw, k + 1);
      const auto here = hn::Le(kDirection == Direction::kToBase ? x : y, point);
      piece.x = hn::IfThenElse(here, x, piece.x);
      piece.y = hn::IfThenElse(here, y, piece.y);
      x_end = hn::IfThenElse(here, x_next, x_end);
      y_end = hn::IfThenElse(here, y_next, y_end);
      raw_slope = hn::IfThenElse(here, slope, raw_slope);
      raw_next = hn::IfThenElse(here, next, raw_next);
      piece.index = hn::Add(piece.index, hn::IfThenElseZero(here, one));
      x = x_next;
      y = y_next;
      slope = next;
    });
    piece.width = hn::Sub(x_end, piece.x);
    piece.height = hn::Sub(y_end, piece.y);
    piece.SetSlopes(raw_slope, raw_next);
    if (!raw.periodic) piece.SetEnds(static_cast<T>(bins - 1));
    return piece;
  }

  template <Way kWay>
  HWY_NOINLINE void PullOne(const T* kept, const T* ladj_slope, T* gradient, const Raw& to) const {
    const Tag<T> d;
    const auto piece = SplinePiece<T>::Kept(kept + 2 * bins_ * to.stride, to.stride);
    const auto inside = hn::Ge(piece.index, hn::Zero(d));
    const Vec<T> g = hn::Load(d, gradient), by_ladj = hn::Load(d, ladj_slope);
    Vec<T> by_y = g;
    if constexpr (kWay == Way::kFromBase) {
      // Of x = the inverse of y at the same parameters: dx = (dy - dy|x) / (dy/dx).
      const auto slope = piece.SlopeAtPoint();
      by_y = hn::Neg(hn::Div(hn::MulAdd(by_ladj, slope.of_log, g), slope.slope));
    }
    const SplineSlopes<T> by = piece.Pull(by_y, by_ladj);
    const Vec<T> back = kWay == Way::kFromBase ? hn::Neg(by_y) : by.point;
    hn::Store(hn::IfThenElse(inside, back, g), d, gradient);
    PullShares(kept, piece.per_width, piece.index, hn::IfThenElseZero(inside, by.x),
               hn::IfThenElseZero(inside, by.width), to.stride, to.at);
    PullShares(kept + bins_ * to.stride, piece.per_height, piece.index,
               hn::IfThenElseZero(inside, by.y), hn::IfThenElseZero(inside, by.height), to.stride,
               to.at + bins_ * to.stride);
    PullSlopes(piece, hn::IfThenElseZero(inside, hn::Mul(by.slope, piece.rate)),
               hn::IfThenElseZero(inside, hn::Mul(by.next_slope, piece.next_rate)), to);
  }

  // From the slopes in a piece's first knot and in its width to those in the raw numbers:
  // bins before the piece move its first knot, and softmax, shares times `per`, takes out
  // what all have in common.
  HWY_INLINE void PullShares(const T* shares, Vec<T> per, Vec<T> index, Vec<T> by_knot,
                             Vec<T> by_width, size_t stride, T* delta) const {
    const Tag<T> d;
    const Vec<T> factor = hn::Mul(hn::Set(d, 2 * bound_ * share_), per);
    by_knot = hn::Mul(by_knot, factor);
    by_width = hn::Mul(by_width, factor);
    const auto of_bin = [&](size_t k) HWY_ATTR {
      const Vec<T> bin = hn::Set(d, static_cast<T>(k));
      return hn::IfThenElse(hn::Lt(bin, index), by_knot,
                            hn::IfThenElseZero(hn::Eq(bin, index), by_width));
    };
    Vec<T> common = hn::Zero(d);
    for (size_t k = 0; k < bins_; ++k) {
      common = hn::MulAdd(hn::Load(d, shares + k * stride), of_bin(k), common);
    }
    common = hn::Mul(common, per);
    for (size_t k = 0; k < bins_; ++k) {
      hn::Store(hn::Mul(hn::Load(d, shares + k * stride), hn::Sub(of_bin(k), common)), d,
                delta + k * stride);
    }
  }

  HWY_INLINE void PullSlopes(const SplinePiece<T>& piece, Vec<T> by_raw, Vec<T> by_next,
                             const Raw& to) const {
    const Tag<T> d;
    T* delta = to.at + 2 * bins_ * to.stride;
    const size_t first = to.periodic ? 0 : 1;
    for (size_t knot = first; knot < bins_; ++knot, delta += to.stride) {
      const auto at = [&](size_t k)
                          HWY_ATTR { return hn::Eq(piece.index, hn::Set(d, static_cast<T>(k))); };
      // Behind the last piece of a circle comes the first knot.
      const size_t before = knot == 0 ? bins_ - 1 : knot - 1;
      hn::Store(
          hn::Add(hn::IfThenElseZero(at(knot), by_raw), hn::IfThenElseZero(at(before), by_next)), d,
          delta);
    }
  }

  const size_t bins_;
  const T bound_, share_;
  const std::vector<bool> periodic_;
  std::vector<size_t> outputs_at_;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
