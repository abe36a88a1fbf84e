// A layer's conditioner: forward on a tile, and backward from the gradient of what it
// gave to that of its parameters and of what it read.
#if defined(SLUICED_ENGINE_NET_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_NET_INL_H_
#undef SLUICED_ENGINE_NET_INL_H_
#else
#define SLUICED_ENGINE_NET_INL_H_
#endif

#include <algorithm>
#include <utility>
#include <vector>

#include "server/engine/buffer.h"
#include "server/engine/layout.h"
#include "server/engine/program.h"
#include "server/engine/simd/few_rows-inl.h"
#include "server/engine/simd/frame-inl.h"
#include "server/engine/simd/linear-inl.h"
#include "server/engine/simd/outer-inl.h"
#include "server/engine/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// Maps of fewer columns on one side than this sum their gradients by lanes.
constexpr size_t kFewColumns = 4;

// Results of the hidden layers, [buffers, nets * hidden, stride]: those of two nets
// side by side. With fewer buffers than hidden layers they take turns.
template <typename T>
struct Hidden {
  T* start;
  size_t step, buffers;
  T* At(size_t k) const { return start + k % buffers * step; }
};

template <typename T>
class Net {
 public:
  Net(NetPlace place, Gradients gradients, SumPlaces* places)
      : place_(std::move(place)), with_gradients_(gradients == Gradients::kYes) {
    size_t numbers = 0;
    for (const auto& nets : place_.maps) {
      std::vector<Packed> packs;
      for (const MapPlace& map : nets) {
        Packed packed;
        packed.forward = std::exchange(numbers, numbers + map.in * map.out);
        packed.bias = std::exchange(numbers, numbers + map.out);
        packed.backward = std::exchange(numbers, numbers + map.in * map.out);
        packs.push_back(packed);
      }
      packs_.push_back(std::move(packs));
    }
    // The first maps of both nets read the same: they are one map, of both nets'
    // outputs.
    const size_t outs = place_.nets() * place_.hidden(), first = place_.in() * outs;
    packs_[0][0] = {0, first, first + outs};
    packed_ = Buffer<T>(numbers);
    transposed_ld_ = RoundUp(std::max(place_.hidden(), place_.in()), HWY_MAX(kLanes<T>, size_t{4}));
    PlaceSums(*places);
  }

  const NetPlace& place() const { return place_; }
  size_t outputs() const { return place_.nets() * place_.out(); }
  // Features of one hidden layer.
  size_t HiddenFeatures() const { return place_.nets() * place_.hidden(); }

  void Pack(const T* parameters) {
    PackFirst(parameters);
    for (size_t k = 1; k < place_.maps.size(); ++k) {
      for (size_t net = 0; net < place_.nets(); ++net) {
        PackOne(place_.maps[k][net], packs_[k][net], parameters);
      }
    }
  }

  // input [in] features; out [outputs()]: those of the first net before the second's.
  void Forward(const T* input, const Tile& tile, const Hidden<T>& hidden, T* out) const {
    const size_t net_step = place_.hidden() * tile.stride;
    Apply<Finish::kLeaky>(ForwardMap(packs_[0][0], place_.in(), HiddenFeatures()), input, tile,
                          hidden.At(0));
    for (size_t k = 1; k < packs_.size(); ++k) {
      for (size_t net = 0; net < place_.nets(); ++net) {
        const MapPlace& map = place_.maps[k][net];
        const Linear<T> linear = ForwardMap(packs_[k][net], map.in, map.out);
        const T* from = hidden.At(k - 1) + net * net_step;
        if (k + 1 == packs_.size()) {
          Apply<Finish::kStore>(linear, from, tile, out + net * map.out * tile.stride);
        } else {
          Apply<Finish::kLeaky>(linear, from, tile, hidden.At(k) + net * net_step);
        }
      }
    }
  }

  // Forward of the first `rows` rows of a tile, one by one; the lanes behind them repeat the
  // last one. `row`: RowNumbers().
  void ForwardRows(const T* input, size_t rows, const Tile& tile, const Hidden<T>& hidden, T* row,
                   T* out) const {
    T* result = row + place_.in();
    for (size_t r = 0; r < rows; ++r) {
      for (size_t f = 0; f < place_.in(); ++f) row[f] = input[f * tile.stride + r];
      ForwardRow(row, hidden, result);
      const size_t end = r + 1 < rows ? r + 1 : tile.vectors * kLanes<T>;
      for (size_t f = 0; f < outputs(); ++f) {
        std::fill(out + f * tile.stride + r, out + f * tile.stride + end, result[f]);
      }
    }
  }
  size_t RowNumbers() const { return RoundUp(place_.in() + outputs(), kLanes<T>); }

  // Of `delta`, the loss's gradient in Forward's out. Adds to `sums` the parameters'
  // gradients, and to `feature_gradient` [features] that of the inputs made of columns;
  // either may be null. `hidden` is as Forward left it, with a buffer for every hidden
  // layer.
  void Backward(const T* input, const Tile& tile, const Hidden<T>& hidden, const T* delta,
                const Sums<T>* sums, T* feature_gradient, T* scratch) const {
    const size_t depth = place_.depth();
    const size_t net_step = place_.hidden() * tile.stride;
    T* deltas[2] = {scratch, scratch + place_.nets() * net_step};
    T* transposed = scratch + 2 * place_.nets() * net_step;
    if (sums != nullptr) {
      AddRowsByLanes(delta, outputs(), tile, sums->lanes + lanes_bias_[depth] * kLanes<T>);
    }
    size_t delta_step = place_.out() * tile.stride;
    for (size_t k = depth; k > 0; --k) {
      T* next = deltas[k % 2];
      for (size_t net = 0; net < place_.nets(); ++net) {
        const MapPlace& map = place_.maps[k][net];
        const T* from = delta + net * delta_step;
        const T* read = hidden.At(k - 1) + net * net_step;
        T* bias = nullptr;
        if (sums != nullptr) {
          if (k == depth && few_out_) {
            AddOuterByLanes(from, map.out, read, map.in, tile,
                            sums->lanes + (lanes_last_ + net * map.out * map.in) * kLanes<T>);
          } else {
            Transpose(read, map.in, tile, transposed, transposed_ld_);
            AddOuter(from, map.out, transposed, map.in, transposed_ld_, tile,
                     sums->flat + map.weight, map.stride);
          }
          bias = sums->lanes + (lanes_bias_[k - 1] + net * place_.hidden()) * kLanes<T>;
        }
        Apply<Finish::kGate>(BackwardMap(packs_[k][net], map.out, map.in), from, tile,
                             next + net * net_step, {read, bias});
      }
      delta = next;
      delta_step = net_step;
    }
    if (sums != nullptr) AddFirst(input, tile, delta, *sums, transposed);
    if (feature_gradient == nullptr || place_.features == 0) return;
    Apply<Finish::kAdd>(BackwardMap(packs_[0][0], HiddenFeatures(), place_.features), delta, tile,
                        feature_gradient);
  }

  size_t BackwardScratch(size_t stride) const {
    return (2 * HiddenFeatures() + transposed_ld_) * stride;
  }

  // The gradients that were summed in the order of the inputs.
  void FinishSums(const Sums<T>& sums) const {
    if (place_.inputs.empty() || few_in_) return;
    const size_t in = place_.in();
    for (size_t o = 0; o < HiddenFeatures(); ++o) {
      const MapPlace& map = place_.maps[0][o / place_.hidden()];
      T* to = sums.flat + map.weight + o % place_.hidden() * map.stride;
      for (size_t i = 0; i < in; ++i) to[place_.inputs[i]] = sums.own[own_first_ + o * in + i];
    }
  }

 private:
  // Where a map's packed weights begin.
  struct Packed {
    size_t forward = 0, bias = 0, backward = 0;
  };

  // Features one after the other: in [in], out [outputs()].
  void ForwardRow(const T* in, const Hidden<T>& hidden, T* out) const {
    ApplyToRow<Finish::kLeaky>(ForwardMap(packs_[0][0], place_.in(), HiddenFeatures()), in,
                               hidden.At(0));
    for (size_t k = 1; k < packs_.size(); ++k) {
      for (size_t net = 0; net < place_.nets(); ++net) {
        const MapPlace& map = place_.maps[k][net];
        const Linear<T> linear = ForwardMap(packs_[k][net], map.in, map.out);
        const T* from = hidden.At(k - 1) + net * place_.hidden();
        if (k + 1 == packs_.size()) {
          ApplyToRow<Finish::kStore>(linear, from, out + net * map.out);
        } else {
          ApplyToRow<Finish::kLeaky>(linear, from, hidden.At(k) + net * place_.hidden());
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
    const auto weights = [&](size_t o) { return parameters + map.weight + o * map.stride; };
    HWY_NAMESPACE::Pack<T>(map.in, map.out, nullptr, weights, packed_.data() + packed.forward);
    std::copy_n(parameters + map.bias, map.out, packed_.data() + packed.bias);
    if (!with_gradients_) return;
    PackTransposed<T>(map.out, map.in, nullptr, weights, packed_.data() + packed.backward);
  }

  void PackFirst(const T* parameters) {
    const size_t hidden = place_.hidden(), in = place_.in();
    const Packed& packed = packs_[0][0];
    const auto in_place = [&](size_t o) {
      const MapPlace& map = place_.maps[0][o / hidden];
      return parameters + map.weight + o % hidden * map.stride;
    };
    const auto pack = [&](const auto& weights) {
      HWY_NAMESPACE::Pack<T>(in, HiddenFeatures(), nullptr, weights,
                             packed_.data() + packed.forward);
      if (!with_gradients_) return;
      PackTransposed<T>(
          HiddenFeatures(), place_.features, nullptr,
          [&](size_t o) { return weights(o) + place_.first_feature; },
          packed_.data() + packed.backward);
    };
    if (place_.inputs.empty()) {
      pack(in_place);
    } else {
      for (size_t o = 0; o < HiddenFeatures(); ++o) {
        for (size_t i = 0; i < in; ++i) {
          gathered_.data()[o * in + i] = in_place(o)[place_.inputs[i]];
        }
      }
      pack([&](size_t o) { return std::as_const(gathered_).data() + o * in; });
    }
    for (size_t net = 0; net < place_.nets(); ++net) {
      std::copy_n(parameters + place_.maps[0][net].bias, hidden,
                  packed_.data() + packed.bias + net * hidden);
    }
  }

  void AddFirst(const T* input, const Tile& tile, const T* delta, const Sums<T>& sums,
                T* transposed) const {
    const size_t hidden = place_.hidden(), in = place_.in();
    if (in == 0) return;
    if (few_in_) {
      return AddOuterByLanes(delta, HiddenFeatures(), input, in, tile,
                             sums.lanes + lanes_first_ * kLanes<T>);
    }
    Transpose(input, in, tile, transposed, transposed_ld_);
    if (!place_.inputs.empty()) {
      return AddOuter(delta, HiddenFeatures(), transposed, in, transposed_ld_, tile,
                      sums.own + own_first_, in);
    }
    for (size_t net = 0; net < place_.nets(); ++net) {
      const MapPlace& map = place_.maps[0][net];
      AddOuter(delta + net * hidden * tile.stride, hidden, transposed, in, transposed_ld_, tile,
               sums.flat + map.weight, map.stride);
    }
  }

  void PlaceSums(SumPlaces& places) {
    std::vector<size_t>& lanes = places.lane_parameters;
    few_in_ = place_.in() < kFewColumns;
    few_out_ = place_.out() < kFewColumns;
    for (const auto& nets : place_.maps) {
      lanes_bias_.push_back(lanes.size());
      for (const MapPlace& map : nets) {
        for (size_t o = 0; o < map.out; ++o) lanes.push_back(map.bias + o);
      }
    }
    lanes_first_ = lanes.size();
    if (few_in_) PlaceWeightLanes(place_.maps.front(), place_.inputs, lanes);
    lanes_last_ = lanes.size();
    if (few_out_) PlaceWeightLanes(place_.maps.back(), {}, lanes);
    if (place_.inputs.empty()) return;
    gathered_ = Buffer<T>(place_.in() * HiddenFeatures());
    own_first_ = places.TakeOwn(place_.in() * HiddenFeatures());
  }

  static void PlaceWeightLanes(const std::vector<MapPlace>& nets, const std::vector<size_t>& inputs,
                               std::vector<size_t>& lanes) {
    for (const MapPlace& map : nets) {
      for (size_t o = 0; o < map.out; ++o) {
        for (size_t i = 0; i < map.in; ++i) {
          lanes.push_back(map.weight + o * map.stride + (inputs.empty() ? i : inputs[i]));
        }
      }
    }
  }

  const NetPlace place_;
  const bool with_gradients_;
  std::vector<std::vector<Packed>> packs_;  // By map and net.
  Buffer<T> packed_;
  Buffer<T> gathered_;  // The first map's weights in the order of the inputs.
  size_t transposed_ld_ = 0;
  bool few_in_ = false, few_out_ = false;
  // Where this net's sums begin among those by lanes, in vectors, and of its own.
  std::vector<size_t> lanes_bias_;
  size_t lanes_first_ = 0, lanes_last_ = 0, own_first_ = 0;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
