// The scale and the shift net of every layer: forward on a tile, and backward from
// the gradient of what they gave to that of their parameters and of what they read.
#if defined(SLUICED_ENGINE_CONDITIONER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_CONDITIONER_INL_H_
#undef SLUICED_ENGINE_CONDITIONER_INL_H_
#else
#define SLUICED_ENGINE_CONDITIONER_INL_H_
#endif

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "server/engine/buffer.h"
#include "server/engine/layout.h"
#include "server/engine/program.h"
#include "server/engine/simd/few_rows-inl.h"
#include "server/engine/simd/lane_sums-inl.h"
#include "server/engine/simd/linear-inl.h"
#include "server/engine/simd/outer-inl.h"
#include "server/engine/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// Maps of fewer columns on one side than this sum their gradients by lanes.
constexpr size_t kFewColumns = 4;

// Results of the hidden layers, [buffers, 2 * hidden, stride]: those of both nets
// side by side. With fewer buffers than hidden layers they take turns.
template <typename T>
struct Hidden {
  T* start;
  size_t step, buffers;
  T* At(size_t k) const { return start + k % buffers * step; }
};

// Where the parameters' gradients are summed: `flat` [parameters], and `lanes`, a
// vector each for those that are summed lane by lane, until CollectLanes.
template <typename T>
struct Sums {
  T* flat;
  T* lanes;
};

template <typename T>
class Conditioners {
 public:
  Conditioners(Layout layout, Gradients gradients)
      : layout_(std::move(layout)), with_gradients_(gradients == Gradients::kYes) {
    size_t numbers = 0;
    for (const LayerPlace& place : layout_.layers) {
      Packs packs;
      for (size_t k = 0; k < place.maps.size(); ++k) {
        std::array<Packed, 2> nets;
        for (size_t net = 0; net < 2; ++net) {
          const size_t weights = place.maps[k][net].in * place.maps[k][net].out;
          nets[net].forward = std::exchange(numbers, numbers + weights);
          nets[net].bias = std::exchange(numbers, numbers + place.maps[k][net].out);
          if (with_gradients_) nets[net].backward = std::exchange(numbers, numbers + weights);
        }
        packs.maps.push_back(nets);
      }
      // The first maps of both nets read the same: they are one map, of both
      // nets' outputs.
      const size_t first = place.maps[0][0].in * layout_.hidden;
      const size_t start = packs.maps[0][0].forward;
      packs.maps[0][0] = {start, start + 2 * first, start + 2 * first + 2 * layout_.hidden};
      PlaceLanes(place, packs);
      packs_.push_back(std::move(packs));
    }
    packed_ = Buffer<T>(numbers);
    const size_t widest = std::max({layout_.hidden, layout_.halves[0], layout_.halves[1]});
    transposed_ld_ = RoundUp(widest, HWY_MAX(kLanes<T>, size_t{4}));
  }

  const Layout& layout() const { return layout_; }

  void Pack(size_t layer, const T* parameters) {
    const LayerPlace& place = layout_.layers[layer];
    PackFirst(place, packs_[layer].maps[0][0], parameters);
    for (size_t k = 1; k < place.maps.size(); ++k) {
      for (size_t net = 0; net < 2; ++net) {
        PackOne(place.maps[k][net], packs_[layer].maps[k][net], parameters);
      }
    }
  }

  // out: [2 * transformed] features, the raw log-scales before the shifts.
  void Forward(size_t layer, const T* conditioning, const Tile& tile, const Hidden<T>& hidden,
               T* out) const {
    const LayerPlace& place = layout_.layers[layer];
    const auto& maps = packs_[layer].maps;
    const size_t net_step = layout_.hidden * tile.stride;
    Apply<Finish::kLeaky>(ForwardMap(maps[0][0], place.maps[0][0].in, 2 * layout_.hidden),
                          conditioning, tile, hidden.At(0));
    for (size_t k = 1; k < maps.size(); ++k) {
      const bool last = k + 1 == maps.size();
      for (size_t net = 0; net < 2; ++net) {
        const MapPlace& map = place.maps[k][net];
        const Linear<T> linear = ForwardMap(maps[k][net], map.in, map.out);
        const T* from = hidden.At(k - 1) + net * net_step;
        if (last) {
          Apply<Finish::kStore>(linear, from, tile, out + net * map.out * tile.stride);
        } else {
          Apply<Finish::kLeaky>(linear, from, tile, hidden.At(k) + net * net_step);
        }
      }
    }
  }

  // Forward of the first `rows` rows of a tile, one by one; the lanes behind them repeat the
  // last one. `row`: RowNumbers().
  void ForwardRows(size_t layer, const T* conditioning, size_t rows, const Tile& tile,
                   const Hidden<T>& hidden, T* row, T* out) const {
    const LayerPlace& place = layout_.layers[layer];
    T* result = row + place.conditioning;
    for (size_t r = 0; r < rows; ++r) {
      for (size_t f = 0; f < place.conditioning; ++f) row[f] = conditioning[f * tile.stride + r];
      ForwardRow(layer, row, hidden, result);
      const size_t end = r + 1 < rows ? r + 1 : tile.vectors * kLanes<T>;
      for (size_t f = 0; f < 2 * place.transformed; ++f) {
        std::fill(out + f * tile.stride + r, out + f * tile.stride + end, result[f]);
      }
    }
  }
  size_t RowNumbers() const { return 3 * std::max(layout_.halves[0], layout_.halves[1]); }

  // Of `delta`, the loss's gradient in Forward's out. Adds to `sums` the parameters'
  // gradients, and to `conditioning_gradient` that of what was read; either may be
  // null. `hidden` is as Forward left it, with a buffer for every hidden layer.
  void Backward(size_t layer, const T* conditioning, const Tile& tile, const Hidden<T>& hidden,
                const T* delta, const Sums<T>* sums, T* conditioning_gradient, T* scratch) const {
    const LayerPlace& place = layout_.layers[layer];
    const Packs& packs = packs_[layer];
    const size_t depth = layout_.depth;
    const size_t net_step = layout_.hidden * tile.stride;
    T* deltas[2] = {scratch, scratch + 2 * net_step};
    T* transposed = scratch + 4 * net_step;
    if (sums != nullptr) {
      AddRowsByLanes(delta, 2 * place.transformed, tile, sums->lanes + packs.lanes_bias[depth]);
    }
    size_t delta_step = place.transformed * tile.stride;
    for (size_t k = depth; k > 0; --k) {
      T* next = deltas[k % 2];
      for (size_t net = 0; net < 2; ++net) {
        const MapPlace& map = place.maps[k][net];
        const T* from = delta + net * delta_step;
        const T* read = hidden.At(k - 1) + net * net_step;
        T* bias = nullptr;
        if (sums != nullptr) {
          if (k == depth && packs.few_out) {
            AddOuterByLanes(from, map.out, read, map.in, tile,
                            sums->lanes + packs.lanes_last + net * map.out * map.in * kLanes<T>);
          } else {
            Transpose(read, map.in, tile, transposed, transposed_ld_);
            AddOuter(from, map.out, transposed, map.in, transposed_ld_, tile,
                     sums->flat + map.weight, map.stride);
          }
          bias = sums->lanes + packs.lanes_bias[k - 1] + net * layout_.hidden * kLanes<T>;
        }
        Apply<Finish::kGate>(BackwardMap(packs.maps[k][net], map.out, map.in), from, tile,
                             next + net * net_step, {read, bias});
      }
      delta = next;
      delta_step = net_step;
    }
    BackwardFirst(place, packs, conditioning, tile, delta, sums, conditioning_gradient, transposed);
  }

  size_t BackwardScratch(size_t stride) const {
    return 4 * layout_.hidden * stride + transposed_ld_ * stride;
  }
  size_t LaneNumbers() const { return lane_parameters_.size() * kLanes<T>; }

  // What was summed by lanes, to its place.
  void CollectLanes(const Sums<T>& sums) const {
    constexpr size_t kAtOnce = LaneGroup<T>();
    T group[kAtOnce];
    for (size_t first = 0; first < lane_parameters_.size(); first += kAtOnce) {
      SumLanes(sums.lanes + first * kLanes<T>, group);
      const size_t count = HWY_MIN(kAtOnce, lane_parameters_.size() - first);
      for (size_t k = 0; k < count; ++k) sums.flat[lane_parameters_[first + k]] = group[k];
    }
  }

 private:
  struct Packed {
    size_t forward = 0, bias = 0, backward = 0;
  };
  // Where a layer's packed maps begin in packed_, and its sums in `lanes`.
  struct Packs {
    std::vector<std::array<Packed, 2>> maps;
    bool few_in = false, few_out = false;
    std::vector<size_t> lanes_bias;  // By map.
    size_t lanes_weight = 0, lanes_last = 0;
  };

  // Features one after the other: in [conditioning], out [2 * transformed].
  void ForwardRow(size_t layer, const T* in, const Hidden<T>& hidden, T* out) const {
    const LayerPlace& place = layout_.layers[layer];
    const auto& maps = packs_[layer].maps;
    ApplyToRow<Finish::kLeaky>(ForwardMap(maps[0][0], place.conditioning, 2 * layout_.hidden), in,
                               hidden.At(0));
    for (size_t k = 1; k < maps.size(); ++k) {
      for (size_t net = 0; net < 2; ++net) {
        const MapPlace& map = place.maps[k][net];
        const Linear<T> linear = ForwardMap(maps[k][net], map.in, map.out);
        const T* from = hidden.At(k - 1) + net * layout_.hidden;
        if (k + 1 == maps.size()) {
          ApplyToRow<Finish::kStore>(linear, from, out + net * map.out);
        } else {
          ApplyToRow<Finish::kLeaky>(linear, from, hidden.At(k) + net * layout_.hidden);
        }
      }
    }
  }

  Linear<T> ForwardMap(const Packed& packed, size_t in, size_t out) const {
    return {packed_.data() + packed.forward, packed_.data() + packed.bias, in, out};
  }
  Linear<T> BackwardMap(const Packed& packed, size_t in, size_t out) const {
    return {packed_.data() + packed.backward, nullptr, in, out};
  }

  void PackOne(const MapPlace& map, const Packed& packed, const T* parameters) {
    const T* weights = parameters + map.weight;
    HWY_NAMESPACE::Pack<T>(
        map.in, map.out, [&](size_t o) { return weights + o * map.stride; },
        packed_.data() + packed.forward);
    std::copy_n(parameters + map.bias, map.out, packed_.data() + packed.bias);
    if (!with_gradients_) return;
    PackTransposed<T>(
        map.out, map.in, [&](size_t o) { return weights + o * map.stride; },
        packed_.data() + packed.backward);
  }

  void PackFirst(const LayerPlace& place, const Packed& packed, const T* parameters) {
    const auto& nets = place.maps[0];
    const size_t hidden = layout_.hidden, in = nets[0].in;
    const auto weights = [&](size_t o) {
      const MapPlace& map = nets[o / hidden];
      return parameters + map.weight + o % hidden * map.stride;
    };
    HWY_NAMESPACE::Pack<T>(in, 2 * hidden, weights, packed_.data() + packed.forward);
    for (size_t net = 0; net < 2; ++net) {
      std::copy_n(parameters + nets[net].bias, hidden, packed_.data() + packed.bias + net * hidden);
    }
    if (with_gradients_) {
      PackTransposed<T>(2 * hidden, in, weights, packed_.data() + packed.backward);
    }
  }

  void BackwardFirst(const LayerPlace& place, const Packs& packs, const T* conditioning,
                     const Tile& tile, const T* delta, const Sums<T>* sums,
                     T* conditioning_gradient, T* transposed) const {
    const size_t hidden = layout_.hidden, in = place.conditioning;
    if (in == 0) return;
    if (sums != nullptr && packs.few_in) {
      AddOuterByLanes(delta, 2 * hidden, conditioning, in, tile, sums->lanes + packs.lanes_weight);
    } else if (sums != nullptr) {
      Transpose(conditioning, in, tile, transposed, transposed_ld_);
      for (size_t net = 0; net < 2; ++net) {
        const MapPlace& map = place.maps[0][net];
        AddOuter(delta + net * hidden * tile.stride, hidden, transposed, in, transposed_ld_, tile,
                 sums->flat + map.weight, map.stride);
      }
    }
    if (conditioning_gradient == nullptr) return;
    Apply<Finish::kAdd>(BackwardMap(packs.maps[0][0], 2 * hidden, in), delta, tile,
                        conditioning_gradient);
  }

  void PlaceLanes(const LayerPlace& place, Packs& packs) {
    packs.few_in = place.conditioning < kFewColumns;
    packs.few_out = place.transformed < kFewColumns;
    for (const auto& nets : place.maps) {
      packs.lanes_bias.push_back(LaneNumbers());
      for (const MapPlace& map : nets) {
        for (size_t o = 0; o < map.out; ++o) lane_parameters_.push_back(map.bias + o);
      }
    }
    packs.lanes_weight = LaneNumbers();
    if (packs.few_in) PlaceWeightLanes(place.maps.front());
    packs.lanes_last = LaneNumbers();
    if (packs.few_out) PlaceWeightLanes(place.maps.back());
  }

  void PlaceWeightLanes(const std::array<MapPlace, 2>& nets) {
    for (const MapPlace& map : nets) {
      for (size_t o = 0; o < map.out; ++o) {
        for (size_t i = 0; i < map.in; ++i) {
          lane_parameters_.push_back(map.weight + o * map.stride + i);
        }
      }
    }
  }

  const Layout layout_;
  const bool with_gradients_;
  std::vector<Packs> packs_;
  Buffer<T> packed_;
  size_t transposed_ld_ = 0;
  std::vector<size_t> lane_parameters_;  // Those that are summed by lanes.
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
