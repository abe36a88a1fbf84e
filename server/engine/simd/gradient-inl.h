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
    components_ = Take(at, 1);
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
           gradients.OwnNumbers() + (3 + 5 * flow.dim()) * flow.stride() + gradients.KeptNumbers();
  }

  // Loss of a row: -log q(x).
  double Likelihood(const T* x, size_t rows, T weight) {
    Begin(x, rows, weight);
    flow_.data().Forward(frame_.tile, frame_.state, frame_.ladj);
    for (size_t i = flow_.pieces(); i-- > 0;) flow_.piece(i).ToBase(frame_, KeptOf(i));
    flow_.SetBaseDensity(frame_);
    std::transform(weight_, weight_ + flow_.stride(), ladj_slope_, [](T w) { return -w; });
    PullBase(frame_.state, &sums_, gradient_);
    for (size_t i = 0; i < flow_.pieces(); ++i) {
      // Nobody asks for the gradient in x.
      flow_.piece(i).Backward(Way::kToBase, frame_, KeptOf(i), {ladj_slope_}, &sums_, gradient_,
                              i + 1 < flow_.pieces());
    }
    return -LogProbs();
  }

  // Loss of a row: log q(x) of the draws made of normals. The gradient is that of log q -
  // log p.
  double ReverseKl(const T* normals, size_t rows, size_t first_row, T weight, bool with_score,
                   const SlopeFunction<T>& slope) {
    frame_ = flow_.EnterDraws(normals, nullptr, rows, components_, memory_);
    SetWeights(rows, weight);
    flow_.SetBaseDensity(frame_);
    std::copy_n(frame_.state, flow_.dim() * flow_.stride(), start_);
    for (size_t i = 0; i < flow_.pieces(); ++i) flow_.piece(i).FromBase(frame_, KeptOf(i));
    std::copy_n(weight_, flow_.stride(), ladj_slope_);
    AskSlope(first_row, slope);
    if (!with_score) {
      AddPathScore();
      std::fill_n(ladj_slope_, flow_.stride(), T{0});
    }
    const bool to_base = flow_.base().HasParameters();
    for (size_t i = flow_.pieces(); i-- > 0;) {
      flow_.piece(i).Backward(Way::kFromBase, frame_, KeptOf(i), {ladj_slope_}, &sums_, gradient_,
                              i > 0 || to_base);
    }
    if (to_base) {
      if (with_score) AddBase(&sums_);
      PullDraws(flow_.base(), frame_.tile, start_, components_, gradient_, sums_);
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
    SetWeights(count, weight);
  }
  void SetWeights(size_t count, T weight) {
    std::fill_n(weight_, flow_.stride(), T{0});
    std::fill_n(weight_, count, weight);
  }

  // to [dim]: the gradient in z by the base's density, of ladj_slope's sign and weight.
  void PullBase(const T* z, const Sums<T>* sums, T* to) const {
    flow_.base().Pull(frame_.tile, z, ladj_slope_, sums, to, frame_.scratch);
  }
  void AddBase(const Sums<T>* sums) {
    PullBase(start_, sums, score_);
    AddScore();
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
    std::copy_n(frame_.state, dim * flow_.stride(), score_);
    flow_.data().Backward(frame_.tile, frame_.state, frame_.ladj);
    StoreRows(frame_.state, frame_.rows, dim, frame_.tile, x_);
    slope(first_row, std::span<const T>(x_, frame_.rows * dim),
          std::span<T>(slope_, frame_.rows * dim));
    LoadRows(slope_, frame_.rows, dim, frame_.tile, gradient_);
    Weigh(gradient_, T{-1}, gradient_);
    flow_.data().PullBack(frame_.tile, score_, ladj_slope_, gradient_);
  }

  // d log q / dx at parameters held fixed, by the way back through ToBase: its
  // layers on x are FromBase's on z, so what was kept of these serves. In the flow's
  // space throughout, where the gradient is.
  void AddPathScore() {
    PullBase(start_, nullptr, score_);
    for (size_t i = 0; i < flow_.pieces(); ++i) {
      flow_.piece(i).Backward(Way::kInverse, frame_, KeptOf(i), {ladj_slope_}, nullptr, score_,
                              true);
    }
    AddScore();
  }

  void AddScore() {
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
  T *weight_, *ladj_slope_, *components_, *gradient_, *score_, *start_, *x_, *slope_, *kept_;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
