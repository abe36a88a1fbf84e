// Losses and their gradients, a tile at a time: forward, then backward while its
// activations are in the cache.
#if defined(SLUICED_ENGINE_GRADIENT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_GRADIENT_INL_H_
#undef SLUICED_ENGINE_GRADIENT_INL_H_
#else
#define SLUICED_ENGINE_GRADIENT_INL_H_
#endif

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "server/engine/simd/flow-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// A flow's way there and back with all of it kept.
template <typename T>
class GradientFlow {
 public:
  explicit GradientFlow(const TileFlow<T>& flow) : flow_(flow) {
    kept_at_.push_back(0);
    for (size_t i = 0; i < flow.pieces(); ++i) {
      kept_at_.push_back(kept_at_.back() + flow.piece(i).KeptFeatures());
    }
  }

  const TileFlow<T>& flow() const { return flow_; }
  // In numbers: where piece i keeps, and, behind the last one, of all.
  size_t KeptAt(size_t i) const { return kept_at_[i] * flow_.stride(); }
  size_t KeptNumbers() const { return KeptAt(flow_.pieces()); }

  // Whole vectors of what CollectLanes takes at a time.
  size_t LaneNumbers() const {
    return RoundUp(flow_.sum_places().lane_parameters.size() * kLanes<T>,
                   kAlignment / sizeof(T) * LaneGroup<T>());
  }
  size_t OwnNumbers() const { return RoundUp(flow_.sum_places().own, kLanes<T>); }

 private:
  const TileFlow<T>& flow_;
  std::vector<size_t> kept_at_;
};

// A tile of rows, and the sums over a share.
template <typename T>
class GradientTile {
 public:
  // Adds to `sums` [parameters].
  GradientTile(const GradientFlow<T>& gradients, T* memory, T* sums)
      : gradients_(gradients), flow_(gradients.flow()), memory_(memory) {
    T* at = memory + RoundUp(flow_.FrameNumbers(), kLanes<T>);
    sums_ = {sums, at, at + gradients.LaneNumbers()};
    at += gradients.LaneNumbers() + gradients.OwnNumbers();
    std::fill(sums_.lanes, at, T{0});
    weight_ = Take(at, 1);
    ladj_slope_ = Take(at, 1);
    gradient_ = Take(at, flow_.dim());
    score_ = Take(at, flow_.dim());
    start_ = Take(at, flow_.dim());
    x_ = Take(at, flow_.dim());
    slope_ = Take(at, flow_.dim());
    kept_ = at;
  }

  static size_t Numbers(const GradientFlow<T>& gradients) {
    const TileFlow<T>& flow = gradients.flow();
    return RoundUp(flow.FrameNumbers(), kLanes<T>) + gradients.LaneNumbers() +
           gradients.OwnNumbers() + (2 + 5 * flow.dim()) * flow.stride() + gradients.KeptNumbers();
  }

  // Loss of a row: -log q(x).
  double Likelihood(const T* x, size_t rows, T weight) {
    Begin(x, rows, weight);
    flow_.columns().Forward(frame_.tile, frame_.state);
    for (size_t i = flow_.pieces(); i-- > 0;) flow_.piece(i).ToBase(frame_, KeptOf(i));
    BaseLogDensity(frame_.state, flow_.dim(), frame_.tile, frame_.base_density);
    std::transform(weight_, weight_ + flow_.stride(), ladj_slope_, [](T w) { return -w; });
    Weigh(frame_.state, T{1}, gradient_);
    for (size_t i = 0; i < flow_.pieces(); ++i) {
      // Nobody asks for the gradient in x.
      flow_.piece(i).Backward(Way::kToBase, frame_, KeptOf(i), {ladj_slope_}, &sums_, gradient_,
                              i + 1 < flow_.pieces());
    }
    return -LogProbs();
  }

  // Loss of a row: log q(x). The gradient is that of log q - log p.
  double ReverseKl(const T* z, size_t rows, size_t first_row, T weight, bool with_score,
                   const SlopeFunction<T>& slope) {
    Begin(z, rows, weight);
    BaseLogDensity(frame_.state, flow_.dim(), frame_.tile, frame_.base_density);
    std::copy_n(frame_.state, flow_.dim() * flow_.stride(), start_);
    for (size_t i = 0; i < flow_.pieces(); ++i) flow_.piece(i).FromBase(frame_, KeptOf(i));
    AskSlope(first_row, slope);
    std::copy_n(weight_, flow_.stride(), ladj_slope_);
    if (!with_score) AddPathScore();
    if (!with_score) std::fill_n(ladj_slope_, flow_.stride(), T{0});
    for (size_t i = flow_.pieces(); i-- > 0;) {
      flow_.piece(i).Backward(Way::kFromBase, frame_, KeptOf(i), {ladj_slope_}, &sums_, gradient_,
                              i > 0);
    }
    return LogProbs();
  }

  // After the last tile.
  void Finish() const {
    for (size_t i = 0; i < flow_.pieces(); ++i) flow_.piece(i).FinishSums(sums_);
    CollectLanes(flow_.sum_places().lane_parameters, sums_);
  }

 private:
  T* Take(T*& at, size_t features) const {
    T* taken = at;
    at += features * flow_.stride();
    return taken;
  }
  T* KeptOf(size_t piece) const { return kept_ + gradients_.KeptAt(piece); }

  // Rows that fill up the last vector weigh nothing.
  void Begin(const T* rows, size_t count, T weight) {
    frame_ = flow_.Enter(rows, count, memory_);
    std::fill_n(weight_, flow_.stride(), T{0});
    std::fill_n(weight_, count, weight);
  }

  // to = sign * weight * values, [dim]; they may be the same.
  void Weigh(const T* values, T sign, T* to) const {
    const Tag<T> d;
    for (size_t f = 0; f < flow_.dim(); ++f) {
      for (size_t v = 0; v < frame_.tile.vectors; ++v) {
        const size_t at = f * flow_.stride() + v * kLanes<T>;
        const Vec<T> w = hn::Mul(hn::Load(d, weight_ + v * kLanes<T>), hn::Set(d, sign));
        hn::Store(hn::Mul(hn::Load(d, values + at), w), d, to + at);
      }
    }
  }

  // The rows x to the caller, and -d log p / dx, weighed, into the gradient.
  void AskSlope(size_t first_row, const SlopeFunction<T>& slope) {
    const size_t dim = flow_.dim();
    flow_.columns().Backward(frame_.tile, frame_.state);
    StoreRows(frame_.state, frame_.rows, dim, frame_.tile, x_);
    slope(first_row, std::span<const T>(x_, frame_.rows * dim),
          std::span<T>(slope_, frame_.rows * dim));
    LoadRows(slope_, frame_.rows, dim, frame_.tile, gradient_);
    Weigh(gradient_, T{-1}, gradient_);
    flow_.columns().PullBack(frame_.tile, gradient_);
  }

  // d log q / dx at parameters held fixed, by the way back through ToBase: its
  // layers on x are FromBase's on z, so what was kept of these serves. In the flow's
  // space throughout, where the gradient is.
  void AddPathScore() {
    Weigh(start_, T{-1}, score_);
    for (size_t i = 0; i < flow_.pieces(); ++i) {
      flow_.piece(i).Backward(Way::kInverse, frame_, KeptOf(i), {ladj_slope_}, nullptr, score_,
                              true);
    }
    const Tag<T> d;
    for (size_t f = 0; f < flow_.dim(); ++f) {
      for (size_t v = 0; v < frame_.tile.vectors; ++v) {
        const size_t at = f * flow_.stride() + v * kLanes<T>;
        hn::Store(hn::Add(hn::Load(d, gradient_ + at), hn::Load(d, score_ + at)), d,
                  gradient_ + at);
      }
    }
  }

  double LogProbs() const {
    double sum = 0;
    for (size_t r = 0; r < frame_.rows; ++r) {
      sum += static_cast<double>(flow_.LogProb(frame_, r));
    }
    return sum;
  }

  const GradientFlow<T>& gradients_;
  const TileFlow<T>& flow_;
  T* const memory_;
  Sums<T> sums_ = {};
  Frame<T> frame_ = {};
  T *weight_, *ladj_slope_, *gradient_, *score_, *start_, *x_, *slope_, *kept_;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
