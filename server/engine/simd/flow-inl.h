// A flow on one tile: its pieces, and what is around them.
#if defined(SLUICED_ENGINE_FLOW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_FLOW_INL_H_
#undef SLUICED_ENGINE_FLOW_INL_H_
#else
#define SLUICED_ENGINE_FLOW_INL_H_
#endif

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "server/engine/program.h"
#include "server/engine/simd/autoregressive-inl.h"
#include "server/engine/simd/base-inl.h"
#include "server/engine/simd/coupling-inl.h"
#include "server/engine/simd/data-inl.h"
#include "server/engine/simd/draws-inl.h"
#include "server/engine/simd/lu-inl.h"
#include "server/engine/simd/mixing-inl.h"
#include "server/engine/simd/rows-inl.h"
#include "server/engine/simd/spline-inl.h"
#include "server/flows/base_draws.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

template <typename T>
class TileFlow {
 public:
  TileFlow(const flows::FlowSpec& spec, const flows::Standardization& standardization,
           Gradients gradients)
      : TileFlow(spec, LayoutOf(spec), standardization, gradients) {}

  TileFlow(const flows::FlowSpec& spec, const Layout& layout,
           const flows::Standardization& standardization, Gradients gradients)
      : dim_(static_cast<size_t>(spec.dim)),
        context_(static_cast<size_t>(spec.context_dim)),
        normals_(static_cast<size_t>(flows::NormalColumns(spec))),
        data_(spec, standardization),
        of_context_(standardization.context_shift, standardization.context_scale),
        stride_(StrideOf(static_cast<size_t>(spec.hidden))),
        base_(spec, layout.base, &sum_places_) {
    MakePieces(spec, layout, gradients);
    scratch_ = base_.ScratchNumbers(stride_);
    for (const auto& piece : pieces_) {
      scratch_ = std::max(scratch_, RoundUp(piece->ScratchNumbers(stride_), kLanes<T>));
    }
  }

  size_t dim() const { return dim_; }
  // Numbers of a row, its context among them.
  size_t row() const { return dim_ + context_; }
  // Rows of a tile.
  size_t stride() const { return stride_; }
  const DataMap<T>& data() const { return data_; }
  BaseDensity<T>& base() { return base_; }
  const BaseDensity<T>& base() const { return base_; }
  // Normal numbers that a draw is made of.
  size_t normals() const { return normals_; }
  const SumPlaces& sum_places() const { return sum_places_; }
  // In the order of FromBase.
  size_t pieces() const { return pieces_.size(); }
  Piece<T>& piece(size_t i) { return *pieces_[i]; }
  const Piece<T>& piece(size_t i) const { return *pieces_[i]; }

  size_t FrameNumbers() const { return (row() + 2) * stride_ + scratch_; }

  // `count` <= stride() rows into a frame on `memory`.
  Frame<T> Enter(const T* rows, size_t count, T* memory) const {
    Frame<T> frame = EmptyFrame(count, memory);
    LoadRows(rows, count, row(), frame.tile, frame.state);
    of_context_.Forward(frame.tile, frame.state + dim_ * stride_);
    return frame;
  }
  // Draws of z, made of normals [count, normals()], and their context, which may be null
  // without any. components [stride]: to what component each row belongs; null: unasked.
  Frame<T> EnterDraws(const T* normals, const T* context, size_t count, T* components,
                      T* memory) const {
    Frame<T> frame = EmptyFrame(count, memory);
    if (base_.base() == flows::Base::kNormal && base_.circles().empty()) {
      LoadRows(normals, count, dim_, frame.tile, frame.state);
    } else {
      for (size_t r = 0; r < frame.tile.vectors * kLanes<T>; ++r) {
        const T* row = normals + std::min(r, count - 1) * normals_;
        const size_t component = DrawRow(base_, dim_, row, frame.state + r, stride_);
        if (components != nullptr) components[r] = static_cast<T>(component);
      }
    }
    if (context_ > 0) {
      LoadRows(context, count, context_, frame.tile, frame.state + dim_ * stride_);
    }
    of_context_.Forward(frame.tile, frame.state + dim_ * stride_);
    return frame;
  }

  void SetBaseDensity(const Frame<T>& frame) const {
    base_.LogDensity(frame.tile, frame.state, frame.base_density, frame.scratch);
  }

  // log q of row r, before overflow is mapped.
  T LogProb(const Frame<T>& frame, size_t r) const { return frame.base_density[r] + frame.ladj[r]; }

 private:
  // As many rows as the first cache holds the activations of; more where weights leave it and
  // are to serve many rows each time they come: a training share of 128 then is one tile.
  static size_t StrideOf(size_t hidden) {
    constexpr size_t kStrip = kBlockVectors * kLanes<T>;
    const size_t rows = hidden < kWideHidden ? kRows : kRowsWhenWide;
    return std::max<size_t>(1, rows / kStrip) * kStrip;
  }

  Frame<T> EmptyFrame(size_t count, T* memory) const {
    Frame<T> frame = {.tile = {stride_, (count + kLanes<T> - 1) / kLanes<T>},
                      .rows = count,
                      .state = memory,
                      .ladj = memory + row() * stride_,
                      .base_density = memory + (row() + 1) * stride_,
                      .scratch = memory + (row() + 2) * stride_};
    std::fill_n(frame.ladj, stride_, T{0});
    return frame;
  }

  // Of couplings columns before context; of autoregressive layers context before columns.
  static Features<T> FeaturesOf(const flows::FlowSpec& spec, const LayerPlace& place) {
    using Kind = Feature::Kind;
    const std::vector<flows::Column> columns = flows::ColumnsOf(spec);
    std::vector<Feature> of_columns, all;
    const auto add = [&](size_t column) {
      if (columns[column].support == flows::Support::kPeriodic) {
        of_columns.insert(of_columns.end(), {{column, Kind::kCosine}, {column, Kind::kSine}});
      } else {
        of_columns.push_back({column});
      }
    };
    for (size_t column : place.order) add(column);
    for (size_t i = 0; place.order.empty() && i < place.seen_columns; ++i) add(place.seen + i);
    if (place.order.empty()) all = of_columns;
    for (int64_t i = 0; i < spec.context_dim; ++i) {
      all.push_back({static_cast<size_t>(spec.dim + i)});
    }
    if (!place.order.empty()) all.insert(all.end(), of_columns.begin(), of_columns.end());
    return Features<T>(std::move(all), spec.bound);
  }

  void MakePieces(const flows::FlowSpec& spec, const Layout& layout, Gradients gradients) {
    const auto scale = [&](const ScalePlace& place) {
      pieces_.push_back(std::make_unique<ScaleColumns<T>>(place, dim_, &sum_places_));
    };
    if (layout.scaling) scale(*layout.scaling);
    for (const LayerPlace& place : layout.layers) {
      pieces_.push_back(MakeLayer(spec, place, gradients));
      if (place.act_norm) scale(*place.act_norm);
      if (place.lu) pieces_.push_back(std::make_unique<Lu<T>>(*place.lu, dim_, &sum_places_));
      if (!place.permutation.empty()) {
        pieces_.push_back(std::make_unique<Permutation<T>>(place.permutation));
      }
    }
  }

  template <class Map>
  std::unique_ptr<Piece<T>> MakeLayer(const flows::FlowSpec& spec, const LayerPlace& place, Map map,
                                      Gradients gradients) {
    if (place.order.empty()) {
      return std::make_unique<Coupling<T, Map>>(place, FeaturesOf(spec, place), std::move(map),
                                                gradients, &sum_places_);
    }
    return std::make_unique<Autoregressive<T, Map>>(place, FeaturesOf(spec, place), std::move(map),
                                                    gradients, &sum_places_);
  }

  std::unique_ptr<Piece<T>> MakeLayer(const flows::FlowSpec& spec, const LayerPlace& place,
                                      Gradients gradients) {
    if (flows::IsSpline(spec.architecture)) {
      const std::vector<flows::Column> columns = flows::ColumnsOf(spec);
      std::vector<bool> periodic;
      for (size_t i = 0; i < place.moved_columns; ++i) {
        periodic.push_back(columns[place.moved + i].support == flows::Support::kPeriodic);
      }
      return MakeLayer(spec, place,
                       Splines<T>(static_cast<size_t>(spec.bins), spec.bound, std::move(periodic)),
                       gradients);
    }
    if (spec.architecture == flows::Architecture::kNice) {
      return MakeLayer(spec, place, Additive<T>(), gradients);
    }
    const Bound<T> bound = {static_cast<T>(spec.scale_bound),
                            spec.scale_bound > 0 ? static_cast<T>(1 / spec.scale_bound) : T{0}};
    // The seed's two nets make all log-scales, then all shifts.
    const bool seeds = spec.architecture == flows::Architecture::kRealNvp;
    return MakeLayer(spec, place,
                     seeds ? Affine<T>(bound, 1, place.moved_columns) : Affine<T>(bound, 2, 1),
                     gradients);
  }

  static constexpr size_t kWideHidden = 256, kRows = 96, kRowsWhenWide = 144;

  const size_t dim_, context_, normals_;
  const DataMap<T> data_;
  const ColumnMap<T> of_context_;
  const size_t stride_;
  SumPlaces sum_places_;
  BaseDensity<T> base_;
  std::vector<std::unique_ptr<Piece<T>>> pieces_;
  size_t scratch_ = 0;  // The most that a piece wants.
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
