// A flow on one tile: its layers one after the other, there and back.
#if defined(SLUICED_ENGINE_FLOW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_FLOW_INL_H_
#undef SLUICED_ENGINE_FLOW_INL_H_
#else
#define SLUICED_ENGINE_FLOW_INL_H_
#endif

#include <algorithm>
#include <utility>

#include "server/engine/program.h"
#include "server/engine/simd/conditioner-inl.h"
#include "server/engine/simd/coupling-inl.h"
#include "server/engine/simd/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// What a tile needs at any time; [features, stride] each.
template <typename T>
struct Frame {
  Tile tile;
  size_t rows;
  T* state;         // [dim]: the point, one half after the other.
  T* scale_sum;     // [1]: of the log-scales so far.
  T* base_density;  // [1]: log N(z).
  T* nets;          // [2 * widest half]: what a layer's nets gave.
  T* row;           // Conditioners::RowNumbers(), not by stride.
};

template <typename T>
class TileFlow {
 public:
  TileFlow(const flows::FlowSpec& spec, const flows::Standardization& standardization,
           Gradients gradients)
      : nets_(LayoutOf(spec), gradients),
        columns_(standardization),
        bound_{static_cast<T>(spec.scale_bound),
               spec.scale_bound > 0 ? static_cast<T>(1 / spec.scale_bound) : T{0}},
        stride_(StrideOf(nets_.layout())) {}

  Conditioners<T>& nets() { return nets_; }
  const Conditioners<T>& nets() const { return nets_; }
  const ColumnMap<T>& columns() const { return columns_; }
  const Layout& layout() const { return nets_.layout(); }
  size_t dim() const { return layout().dim; }
  size_t layers() const { return layout().layers.size(); }
  // Rows of a tile.
  size_t stride() const { return stride_; }
  size_t HiddenStep() const { return 2 * layout().hidden * stride_; }

  size_t FrameNumbers() const {
    return (dim() + 2 + 2 * WidestHalf()) * stride_ + RoundUp(nets_.RowNumbers(), kLanes<T>);
  }

  // `count` <= stride_ rows into a frame on `scratch`.
  Frame<T> Enter(const T* rows, size_t count, T* scratch) const {
    Frame<T> frame = {.tile = {stride_, (count + kLanes<T> - 1) / kLanes<T>},
                      .rows = count,
                      .state = scratch,
                      .scale_sum = scratch + dim() * stride_,
                      .base_density = scratch + (dim() + 1) * stride_,
                      .nets = scratch + (dim() + 2) * stride_,
                      .row = scratch + (dim() + 2 + 2 * WidestHalf()) * stride_};
    LoadRows(rows, count, dim(), frame.tile, frame.state);
    std::fill_n(frame.scale_sum, stride_, T{0});
    return frame;
  }

  T* HalfOf(const Frame<T>& frame, size_t half) const {
    return frame.state + half * layout().halves[0] * stride_;
  }

  // One layer, from `in` to `out`, [transformed] features.
  template <Direction kDirection>
  void Step(size_t layer, const Frame<T>& frame, const T* conditioning, const Hidden<T>& hidden,
            const T* in, T* out, const Kept<T>& kept) const {
    nets_.Forward(layer, conditioning, frame.tile, hidden, frame.nets);
    TakeNets<kDirection>(layer, frame, in, out, kept);
  }

  // One layer in place, nothing kept.
  template <Direction kDirection>
  void StepInPlace(size_t layer, const Frame<T>& frame, const Hidden<T>& hidden) const {
    const size_t from = layout().layers[layer].from;
    T* half = HalfOf(frame, 1 - from);
    if (frame.rows <= kFewRows<T>) {
      nets_.ForwardRows(layer, HalfOf(frame, from), frame.rows, frame.tile, hidden, frame.row,
                        frame.nets);
    } else {
      nets_.Forward(layer, HalfOf(frame, from), frame.tile, hidden, frame.nets);
    }
    TakeNets<kDirection>(layer, frame, half, half, {});
  }

  // log q of row r, before overflow is mapped.
  T LogProb(const Frame<T>& frame, size_t r) const {
    return frame.base_density[r] + LadjToBase(frame, r);
  }
  T LadjToBase(const Frame<T>& frame, size_t r) const {
    return columns_.ladj() - frame.scale_sum[r];
  }

 private:
  // Weights that leave the first caches are to serve many rows each time they come.
  static size_t StrideOf(const Layout& layout) {
    constexpr size_t kStrip = kBlockVectors * kLanes<T>;
    const size_t rows = layout.hidden < kWideHidden ? kRows : kRowsWhenWide;
    return std::max<size_t>(1, rows / kStrip) * kStrip;
  }
  size_t WidestHalf() const { return std::max(layout().halves[0], layout().halves[1]); }

  // What a layer does when its nets have given.
  template <Direction kDirection>
  void TakeNets(size_t layer, const Frame<T>& frame, const T* in, T* out,
                const Kept<T>& kept) const {
    Couple<T, kDirection>(bound_, frame.nets, layout().layers[layer].transformed, frame.tile, in,
                          out, frame.scale_sum, kept);
  }

  static constexpr size_t kWideHidden = 256, kRows = 24, kRowsWhenWide = 96;

  Conditioners<T> nets_;
  const ColumnMap<T> columns_;
  const Bound<T> bound_;
  const size_t stride_;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
