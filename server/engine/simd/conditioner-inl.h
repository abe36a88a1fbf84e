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

template <typename T>
class Conditioners {
 public:
  Conditioners(Layout layout, Gradients gradients)
      : layout_(std::move(layout)), with_gradients_(gradients == Gradients::kYes) {
    size_t numbers = 0;
    sums_ = RoundUp(layout_.parameters, kLanes<T>);
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

  void Pack(const T* parameters) {
    for (size_t layer = 0; layer < packs_.size(); ++layer) {
      const LayerPlace& place = layout_.layers[layer];
      PackFirst(place, packs_[layer].maps[0][0], parameters);
      for (size_t k = 1; k < place.maps.size(); ++k) {
        for (size_t net = 0; net < 2; ++net) {
          PackOne(place.maps[k][net], packs_[layer].maps[k][net], parameters);
        }
      }
    }
  }

  // out: [2 * transformed] features, the raw log-scales before the shifts.
  void Forward(size_t layer, const T* conditioning, const Tile& tile, const Hidden<T>& hidden,
               T* out) const {
    const LayerPlace& place = layout_.layers[layer];
    const auto& maps = packs_[layer].maps;
    const size_t net_step = layout_.hidden * tile.stride;
    Apply(ForwardMap(maps[0][0], place.maps[0][0].in, 2 * layout_.hidden), conditioning, tile,
          hidden.At(0), {Finish::kLeaky});
    for (size_t k = 1; k < maps.size(); ++k) {
      const bool last = k + 1 == maps.size();
      for (size_t net = 0; net < 2; ++net) {
        const MapPlace& map = place.maps[k][net];
        T* to = last ? out + net * map.out * tile.stride : hidden.At(k) + net * net_step;
        Apply(ForwardMap(maps[k][net], map.in, map.out), hidden.At(k - 1) + net * net_step, tile,
              to, {last ? Finish::kStore : Finish::kLeaky});
      }
    }
  }

  // Of `delta`, the loss's gradient in Forward's out. Adds to `sums` the parameters'
  // gradients, and to `conditioning_gradient` that of what was read; either may be
  // null. `hidden` is as Forward left it, with a buffer for every hidden layer.
  void Backward(size_t layer, const T* conditioning, const Tile& tile, const Hidden<T>& hidden,
                const T* delta, T* sums, T* conditioning_gradient, T* scratch) const {
    const LayerPlace& place = layout_.layers[layer];
    const Packs& packs = packs_[layer];
    const size_t depth = layout_.depth;
    const size_t net_step = layout_.hidden * tile.stride;
    T* deltas[2] = {scratch, scratch + 2 * net_step};
    T* transposed = scratch + 4 * net_step;
    if (sums != nullptr) {
      AddRowsByLanes(delta, 2 * place.transformed, tile, sums + packs.lanes_bias[depth]);
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
                            sums + packs.lanes_last + net * map.out * map.in * kLanes<T>);
          } else {
            Transpose(read, map.in, tile, transposed, transposed_ld_);
            AddOuter(from, map.out, transposed, map.in, transposed_ld_, tile, sums + map.weight,
                     map.stride);
          }
          bias = sums + packs.lanes_bias[k - 1] + net * layout_.hidden * kLanes<T>;
        }
        Apply(BackwardMap(packs.maps[k][net], map.out, map.in), from, tile, next + net * net_step,
              {Finish::kGate, read, bias});
      }
      delta = next;
      delta_step = net_step;
    }
    BackwardFirst(place, packs, conditioning, tile, delta, sums, conditioning_gradient, transposed);
  }

  // Numbers of scratch of Backward, of all shares' sums, and the sums' end.
  size_t BackwardScratch(size_t stride) const {
    return 4 * layout_.hidden * stride + transposed_ld_ * stride;
  }
  size_t SumNumbers() const { return sums_; }

  // `gradient` of one layer out of the sums of `count` shares, in their order.
  void ReduceLayer(const T* sums, size_t count, size_t layer, T* gradient) const {
    const LayerPlace& place = layout_.layers[layer];
    for (size_t k = 0; k < place.maps.size(); ++k) {
      for (size_t net = 0; net < 2; ++net) {
        const MapPlace& map = place.maps[k][net];
        for (size_t o = 0; o < map.out; ++o) {
          AddShares(sums, count, map.weight + o * map.stride, map.in, gradient);
        }
      }
    }
    const Packs& packs = packs_[layer];
    for (size_t lane = packs.lanes_first; lane < packs.lanes_end; ++lane) {
      gradient[lane_parameters_[lane]] = SumOfShares(sums, count, LaneAt(lane));
    }
  }

 private:
  struct Packed {
    size_t forward = 0, bias = 0, backward = 0;
  };
  // Where a layer's packed maps begin in packed_, and its lane sums in `sums`.
  struct Packs {
    std::vector<std::array<Packed, 2>> maps;
    bool few_in = false, few_out = false;
    std::vector<size_t> lanes_bias;  // By map.
    size_t lanes_weight = 0, lanes_last = 0;
    size_t lanes_first = 0, lanes_end = 0;  // In lane_parameters_.
  };

  Linear<T> ForwardMap(const Packed& packed, size_t in, size_t out) const {
    return {packed_.data() + packed.forward, packed_.data() + packed.bias, in, out};
  }
  Linear<T> BackwardMap(const Packed& packed, size_t in, size_t out) const {
    return {packed_.data() + packed.backward, nullptr, in, out};
  }

  void PackOne(const MapPlace& map, const Packed& packed, const T* parameters) {
    const T* weights = parameters + map.weight;
    HWY_NAMESPACE::Pack<T>(
        map.in, map.out, 1, [&](size_t o) { return weights + o * map.stride; },
        packed_.data() + packed.forward);
    std::copy_n(parameters + map.bias, map.out, packed_.data() + packed.bias);
    if (!with_gradients_) return;
    HWY_NAMESPACE::Pack<T>(
        map.out, map.in, map.stride, [&](size_t i) { return weights + i; },
        packed_.data() + packed.backward);
  }

  void PackFirst(const LayerPlace& place, const Packed& packed, const T* parameters) {
    const auto& nets = place.maps[0];
    const size_t hidden = layout_.hidden, in = nets[0].in;
    HWY_NAMESPACE::Pack<T>(
        in, 2 * hidden, 1,
        [&](size_t o) {
          const MapPlace& map = nets[o / hidden];
          return parameters + map.weight + o % hidden * map.stride;
        },
        packed_.data() + packed.forward);
    for (size_t net = 0; net < 2; ++net) {
      std::copy_n(parameters + nets[net].bias, hidden, packed_.data() + packed.bias + net * hidden);
    }
    if (!with_gradients_) return;
    for (size_t i = 0; i < in;) {
      const size_t block = BlockAt(i, in);
      T* to = packed_.data() + packed.backward + i * 2 * hidden;
      for (const MapPlace& map : nets) {
        for (size_t o = 0; o < hidden; ++o, to += block) {
          std::copy_n(parameters + map.weight + o * map.stride + i, block, to);
        }
      }
      i += block;
    }
  }

  void BackwardFirst(const LayerPlace& place, const Packs& packs, const T* conditioning,
                     const Tile& tile, const T* delta, T* sums, T* conditioning_gradient,
                     T* transposed) const {
    const size_t hidden = layout_.hidden, in = place.conditioning;
    if (in == 0) return;
    if (sums != nullptr && packs.few_in) {
      AddOuterByLanes(delta, 2 * hidden, conditioning, in, tile, sums + packs.lanes_weight);
    } else if (sums != nullptr) {
      Transpose(conditioning, in, tile, transposed, transposed_ld_);
      for (size_t net = 0; net < 2; ++net) {
        const MapPlace& map = place.maps[0][net];
        AddOuter(delta + net * hidden * tile.stride, hidden, transposed, in, transposed_ld_, tile,
                 sums + map.weight, map.stride);
      }
    }
    if (conditioning_gradient == nullptr) return;
    Apply(BackwardMap(packs.maps[0][0], 2 * hidden, in), delta, tile, conditioning_gradient,
          {Finish::kAdd});
  }

  void AddLane(size_t parameter) {
    lane_parameters_.push_back(parameter);
    sums_ += kLanes<T>;
  }

  void PlaceLanes(const LayerPlace& place, Packs& packs) {
    packs.lanes_first = lane_parameters_.size();
    packs.few_in = place.conditioning < kFewColumns;
    packs.few_out = place.transformed < kFewColumns;
    for (const auto& nets : place.maps) {
      packs.lanes_bias.push_back(sums_);
      for (const MapPlace& map : nets) {
        for (size_t o = 0; o < map.out; ++o) AddLane(map.bias + o);
      }
    }
    packs.lanes_weight = sums_;
    if (packs.few_in) PlaceWeightLanes(place.maps.front());
    packs.lanes_last = sums_;
    if (packs.few_out) PlaceWeightLanes(place.maps.back());
    packs.lanes_end = lane_parameters_.size();
  }

  void PlaceWeightLanes(const std::array<MapPlace, 2>& nets) {
    for (const MapPlace& map : nets) {
      for (size_t o = 0; o < map.out; ++o) {
        for (size_t i = 0; i < map.in; ++i) AddLane(map.weight + o * map.stride + i);
      }
    }
  }

  size_t LaneAt(size_t lane) const {
    return RoundUp(layout_.parameters, kLanes<T>) + lane * kLanes<T>;
  }

  T SumOfShares(const T* sums, size_t count, size_t at) const {
    const Tag<T> d;
    Vec<T> total = hn::Load(d, sums + at);
    for (size_t share = 1; share < count; ++share) {
      total = hn::Add(total, hn::Load(d, sums + share * sums_ + at));
    }
    return hn::GetLane(hn::SumOfLanes(d, total));
  }

  void AddShares(const T* sums, size_t count, size_t at, size_t numbers, T* gradient) const {
    T* HWY_RESTRICT to = gradient + at;
    std::copy_n(sums + at, numbers, to);
    for (size_t share = 1; share < count; ++share) {
      const T* HWY_RESTRICT from = sums + share * sums_ + at;
      for (size_t i = 0; i < numbers; ++i) to[i] += from[i];
    }
  }

  const Layout layout_;
  const bool with_gradients_;
  std::vector<Packs> packs_;
  Buffer<T> packed_;
  size_t transposed_ld_ = 0;
  size_t sums_ = 0;  // [parameters, lanes of those that are summed by lanes]
  std::vector<size_t> lane_parameters_;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
