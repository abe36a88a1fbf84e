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

#include "server/engine/simd/flow-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// A tile's way through the flow with all of it kept, and its sums over a share.
template <typename T>
class GradientTile {
 public:
  // Adds to `sums` [parameters].
  GradientTile(const TileFlow<T>& flow, T* scratch, T* sums)
      : flow_(flow), scratch_(scratch), sums_{sums, scratch + flow.FrameNumbers()} {
    const size_t dim = flow.dim();
    std::fill_n(sums_.lanes, LaneNumbers(flow), T{0});
    T* at = sums_.lanes + LaneNumbers(flow);
    weight_ = Take(at, 1);
    gradient_ = Take(at, dim);
    score_ = Take(at, dim);
    x_ = Take(at, dim);
    slope_ = Take(at, dim);
    kept_ = at;
  }

  static size_t Numbers(const TileFlow<T>& flow) {
    const size_t plain = flow.FrameNumbers() + (1 + 4 * flow.dim()) * flow.stride();
    return plain + LaneNumbers(flow) + flow.layers() * LayerNumbers(flow) +
           flow.nets().BackwardScratch(flow.stride());
  }

  // Loss of a row: -log q(x).
  double Likelihood(const T* x, size_t rows, T weight) {
    Begin(x, rows, weight);
    flow_.columns().Forward(frame_.tile, frame_.state);
    for (size_t layer = flow_.layers(); layer-- > 0;) {
      Step<Direction::kToBase>(layer, layer + 1);
    }
    T* z[2] = {Latest(0, 0, 1), Latest(1, 0, 1)};
    DensityOf(z);
    for (size_t half = 0; half < 2; ++half) Weigh(z[half], half, T{1});
    for (size_t layer = 0; layer < flow_.layers(); ++layer) {
      const size_t columns = Place(layer).transformed;
      Uncouple<T, Direction::kToBase>(KeptOf(layer), columns, frame_.tile, weight_,
                                      GradientOf(1 - Place(layer).from), frame_.nets);
      // Nobody asks for the gradient in x.
      BackwardNets(layer, layer + 1, gradient_, &sums_, layer + 1 < flow_.layers());
    }
    return -LogProbs();
  }

  // Loss of a row: log q(x). The gradient is that of log q - log p.
  double ReverseKl(const T* z, size_t rows, size_t first_row, T weight, bool with_score,
                   const SlopeFunction<T>& slope) {
    Begin(z, rows, weight);
    BaseLogDensity(frame_.state, flow_.dim(), frame_.tile, frame_.base_density);
    for (size_t layer = 0; layer < flow_.layers(); ++layer) {
      Step<Direction::kFromBase>(layer, layer - 1);
    }
    AskSlope(first_row, slope);
    if (!with_score) AddPathScore();
    if (!with_score) std::fill_n(weight_, flow_.stride(), T{0});
    for (size_t layer = flow_.layers(); layer-- > 0;) {
      Uncouple<T, Direction::kFromBase>(KeptOf(layer), Place(layer).transformed, frame_.tile,
                                        weight_, GradientOf(1 - Place(layer).from), frame_.nets);
      BackwardNets(layer, layer - 1, gradient_, &sums_, layer > 0);
    }
    return LogProbs();
  }

  // After the last tile.
  void Finish() const { flow_.nets().CollectLanes(sums_); }

 private:
  T* Take(T*& at, size_t features) const {
    T* taken = at;
    at += features * flow_.stride();
    return taken;
  }
  // Whole vectors of what CollectLanes takes at a time.
  static size_t LaneNumbers(const TileFlow<T>& flow) {
    return RoundUp(flow.nets().LaneNumbers(), kAlignment / sizeof(T) * LaneGroup<T>());
  }
  static size_t LayerNumbers(const TileFlow<T>& flow) {
    const size_t widest = std::max(flow.layout().halves[0], flow.layout().halves[1]);
    return flow.layout().depth * flow.HiddenStep() + 4 * widest * flow.stride();
  }

  const LayerPlace& Place(size_t layer) const { return flow_.layout().layers[layer]; }
  T* LayerStart(size_t layer) const { return kept_ + layer * LayerNumbers(flow_); }
  Hidden<T> HiddenOf(size_t layer) const {
    return {LayerStart(layer), flow_.HiddenStep(), flow_.layout().depth};
  }
  Kept<T> KeptOf(size_t layer) const {
    const size_t step = Place(layer).transformed * flow_.stride();
    T* start = LayerStart(layer) + flow_.layout().depth * flow_.HiddenStep();
    return {.values = start,
            .factor = start + step,
            .product = start + 2 * step,
            .slope = start + 3 * step};
  }
  T* GradientOf(size_t half) const { return HalfAt(gradient_, half); }
  T* HalfAt(T* whole, size_t half) const {
    return whole + half * flow_.layout().halves[0] * flow_.stride();
  }

  void Begin(const T* rows, size_t count, T weight) {
    frame_ = flow_.Enter(rows, count, scratch_);
    std::fill_n(weight_, flow_.stride(), T{0});
    std::fill_n(weight_, count, weight);
  }

  // Half `half` as the layer `first`, or the one after it by `step`, left it; as it
  // was at the start where neither exists. Layers beyond the last are none, nor is
  // one before the first: layer numbers wrap.
  T* Latest(size_t half, size_t first, size_t step) const {
    for (size_t tries = 0; tries < 2; ++tries, first += step) {
      if (first < flow_.layers() && Place(first).from != half) return KeptOf(first).values;
    }
    return flow_.HalfOf(frame_, half);
  }

  // `before` is the layer that came before.
  template <Direction kDirection>
  void Step(size_t layer, size_t before) {
    const size_t from = Place(layer).from;
    const size_t step = before - layer;
    const Kept<T> kept = KeptOf(layer);
    flow_.template Step<kDirection>(layer, frame_, Latest(from, before, step), HiddenOf(layer),
                                    Latest(1 - from, before, step), kept.values, kept);
  }

  void DensityOf(T* const (&z)[2]) {
    // The sum wants one array: the gradient's, before it is one.
    for (size_t half = 0; half < 2; ++half) {
      std::copy_n(z[half], flow_.layout().halves[half] * flow_.stride(), GradientOf(half));
    }
    BaseLogDensity(gradient_, flow_.dim(), frame_.tile, frame_.base_density);
  }

  // The half's part of the gradient: sign * weight * values.
  void Weigh(const T* values, size_t half, T sign) {
    const Tag<T> d;
    T* to = GradientOf(half);
    for (size_t f = 0; f < flow_.layout().halves[half]; ++f) {
      for (size_t v = 0; v < frame_.tile.vectors; ++v) {
        const size_t at = f * flow_.stride() + v * kLanes<T>;
        const Vec<T> w = hn::Mul(hn::Load(d, weight_ + v * kLanes<T>), hn::Set(d, sign));
        hn::Store(hn::Mul(hn::Load(d, values + at), w), d, to + at);
      }
    }
  }

  void BackwardNets(size_t layer, size_t before, T* gradient, const Sums<T>* sums, bool onwards) {
    const size_t from = Place(layer).from;
    T* further = onwards ? HalfAt(gradient, from) : nullptr;
    flow_.nets().Backward(layer, Latest(from, before, before - layer), frame_.tile, HiddenOf(layer),
                          frame_.nets, sums, further, LayerStart(flow_.layers()));
  }

  // The rows x to the caller, and -d log p / dx, weighed, into the gradient.
  void AskSlope(size_t first_row, const SlopeFunction<T>& slope) {
    const size_t dim = flow_.dim(), last = flow_.layers() - 1;
    for (size_t half = 0; half < 2; ++half) {
      const T* values = Latest(half, last, size_t{0} - 1);
      std::copy_n(values, flow_.layout().halves[half] * flow_.stride(), GradientOf(half));
    }
    flow_.columns().Backward(frame_.tile, gradient_);
    StoreRows(gradient_, frame_.rows, dim, frame_.tile, x_);
    slope(first_row, std::span<const T>(x_, frame_.rows * dim),
          std::span<T>(slope_, frame_.rows * dim));
    LoadRows(slope_, frame_.rows, dim, frame_.tile, gradient_);
    for (size_t half = 0; half < 2; ++half) Weigh(GradientOf(half), half, T{-1});
    flow_.columns().PullBack(frame_.tile, gradient_);
  }

  // d log q / dx at parameters held fixed, by the way back through ToBase: its
  // layers on x are FromBase's on z, so what was kept of these serves. In the flow's
  // space throughout, where the gradient is.
  void AddPathScore() {
    std::swap(gradient_, score_);
    for (size_t half = 0; half < 2; ++half) Weigh(flow_.HalfOf(frame_, half), half, T{-1});
    std::swap(gradient_, score_);
    for (size_t layer = 0; layer < flow_.layers(); ++layer) {
      UncoupleInverse(KeptOf(layer), Place(layer).transformed, frame_.tile, weight_,
                      HalfAt(score_, 1 - Place(layer).from), frame_.nets);
      BackwardNets(layer, layer - 1, score_, nullptr, true);
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

  const TileFlow<T>& flow_;
  T* const scratch_;
  const Sums<T> sums_;
  Frame<T> frame_ = {};
  T *weight_, *gradient_, *score_, *x_, *slope_, *kept_;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
