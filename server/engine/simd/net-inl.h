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

#include "server/engine/layout.h"
#include "server/engine/program.h"
#include "server/engine/simd/few_rows-inl.h"
#include "server/engine/simd/frame-inl.h"
#include "server/engine/simd/outer-inl.h"
#include "server/engine/simd/packed_net-inl.h"
#include "server/engine/simd/two_maps-inl.h"
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

enum class Keep { kNo, kYes };

template <typename T>
class Net {
 public:
  Net(NetPlace place, Gradients gradients, SumPlaces* places)
      : maps_(std::move(place), gradients), place_(maps_.place()) {
    transposed_ld_ = RoundUp(std::max(place_.hidden(), place_.in()), kLanes<T>);
    PlaceSums(*places);
  }

  const NetPlace& place() const { return place_; }
  size_t outputs() const { return place_.nets() * place_.out(); }
  // Features of one hidden layer.
  size_t HiddenFeatures() const { return maps_.HiddenFeatures(); }

  void Pack(const T* parameters) { maps_.Pack(parameters); }

  // input [in] features; out [outputs()]: those of the first net before the second's.
  // Keep::kYes: all hidden layers are to be found in `hidden` afterwards.
  void Forward(const T* input, const Tile& tile, const Hidden<T>& hidden, Keep keep, T* out) const {
    const size_t net_step = place_.hidden() * tile.stride, last = place_.depth();
    const size_t out_step = place_.out() * tile.stride;
    Apply<Finish::kLeaky>(maps_.Forward(0, 0), input, tile, hidden.At(0));
    for (size_t k = 1; k <= last; ++k) {
      const bool both = k + 1 == last && CanApplyTwo(maps_.Forward(k, 0), maps_.Forward(last, 0));
      for (size_t net = 0; net < place_.nets(); ++net) {
        const Linear<T> linear = maps_.Forward(k, net);
        const T* from = hidden.At(k - 1) + net * net_step;
        T* to = k == last ? out + net * out_step : hidden.At(k) + net * net_step;
        if (both) {
          ApplyTwo(linear, maps_.Forward(last, net), from, tile, keep == Keep::kYes ? to : nullptr,
                   out + net * out_step);
        } else if (k == last) {
          Apply<Finish::kStore>(linear, from, tile, to);
        } else {
          Apply<Finish::kLeaky>(linear, from, tile, to);
        }
      }
      if (both) return;
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
            AddOuterOfMap(k, from, map.out, transposed, map.in, tile, sums->flat + map.weight,
                          map.stride);
          }
          bias = sums->lanes + (lanes_bias_[k - 1] + net * place_.hidden()) * kLanes<T>;
        }
        Apply<Finish::kGate>(maps_.Backward(k, net), from, tile, next + net * net_step,
                             {read, bias});
      }
      delta = next;
      delta_step = net_step;
    }
    if (sums != nullptr) AddFirst(input, tile, delta, *sums, transposed);
    if (feature_gradient == nullptr || place_.features == 0) return;
    Apply<Finish::kAdd>(maps_.Backward(0, 0), delta, tile, feature_gradient);
  }

  size_t BackwardScratch(size_t stride) const {
    return (2 * HiddenFeatures() + transposed_ld_) * stride;
  }

  // What was summed in the order of the inputs, to its place, and out with what masks
  // leave out.
  void FinishSums(const Sums<T>& sums) const {
    const size_t in = place_.in();
    for (size_t o = 0; !place_.inputs.empty() && !few_in_ && o < HiddenFeatures(); ++o) {
      const MapPlace& map = place_.maps[0][o / place_.hidden()];
      T* to = sums.flat + map.weight + o % place_.hidden() * map.stride;
      const size_t met = place_.needs.empty() ? in : place_.needs[0][o];
      for (size_t i = 0; i < met; ++i) to[place_.inputs[i]] = sums.own[own_first_ + o * in + i];
    }
    for (size_t k = 1; k < place_.needs.size(); ++k) {
      const MapPlace& map = place_.maps[k][0];
      for (size_t o = 0; o < map.out; ++o) {
        T* to = sums.flat + map.weight + o * map.stride;
        std::fill(to + place_.needs[k][o], to + map.in, T{0});
      }
    }
  }

 private:
  // Features one after the other: in [in], out [outputs()].
  void ForwardRow(const T* in, const Hidden<T>& hidden, T* out) const {
    ApplyToRow<Finish::kLeaky>(maps_.Forward(0, 0), in, hidden.At(0));
    for (size_t k = 1; k < place_.maps.size(); ++k) {
      for (size_t net = 0; net < place_.nets(); ++net) {
        const MapPlace& map = place_.maps[k][net];
        const Linear<T> linear = maps_.Forward(k, net);
        const T* from = hidden.At(k - 1) + net * place_.hidden();
        if (k + 1 == place_.maps.size()) {
          ApplyToRow<Finish::kStore>(linear, from, out + net * map.out);
        } else {
          ApplyToRow<Finish::kLeaky>(linear, from, hidden.At(k) + net * place_.hidden());
        }
      }
    }
  }

  // AddOuter of map k, block by block of what it needs.
  void AddOuterOfMap(size_t k, const T* delta, size_t outs, const T* transposed, size_t in,
                     const Tile& tile, T* to, size_t stride) const {
    if (place_.needs.empty()) {
      return AddOuter(delta, outs, transposed, in, transposed_ld_, tile, to, stride);
    }
    const Inputs* needed = maps_.Needed(k);
    for (size_t o = 0; o < outs; ++needed) {
      const size_t block = BlockAt(o, outs);
      AddOuter(delta + o * tile.stride, block, transposed, needed->count, transposed_ld_, tile,
               to + o * stride, stride);
      o += block;
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
      return AddOuterOfMap(0, delta, HiddenFeatures(), transposed, in, tile, sums.own + own_first_,
                           in);
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
    if (few_in_) PlaceWeightLanes(0, lanes);
    lanes_last_ = lanes.size();
    if (few_out_) PlaceWeightLanes(place_.depth(), lanes);
    if (place_.inputs.empty()) return;
    own_first_ = places.TakeOwn(place_.in() * HiddenFeatures());
  }

  void PlaceWeightLanes(size_t k, std::vector<size_t>& lanes) const {
    const bool ordered = k == 0 && !place_.inputs.empty();
    for (const MapPlace& map : place_.maps[k]) {
      for (size_t o = 0; o < map.out; ++o) {
        for (size_t i = 0; i < map.in; ++i) {
          const bool met = place_.needs.empty() || i < place_.needs[k][o];
          const size_t at = ordered ? place_.inputs[i] : i;
          lanes.push_back(met ? map.weight + o * map.stride + at : SumPlaces::kNone);
        }
      }
    }
  }

  PackedNet<T> maps_;
  const NetPlace& place_;  // Of maps_.
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
