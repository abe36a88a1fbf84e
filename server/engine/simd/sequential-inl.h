// A masked conditioner column by column: when one more column is known, the units that
// wait for it alone, and what they make for the next. Over all columns every unit is
// computed once.
#if defined(SLUICED_ENGINE_SEQUENTIAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_SEQUENTIAL_INL_H_
#undef SLUICED_ENGINE_SEQUENTIAL_INL_H_
#else
#define SLUICED_ENGINE_SEQUENTIAL_INL_H_
#endif

#include <algorithm>
#include <utility>
#include <vector>

#include "server/engine/buffer.h"
#include "server/engine/layout.h"
#include "server/engine/program.h"
#include "server/engine/simd/linear-inl.h"
#include "server/engine/simd/net-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// Passes are numbered by the rank of the column that they make outputs for. Tiles of
// inputs, hidden layers and outputs are as Net's.
template <typename T>
class SequentialNet {
 public:
  // By rank: a column's outputs, and its features, counted from the first.
  SequentialNet(const NetPlace& place, const std::vector<Inputs>& outputs,
                std::vector<Inputs> features, Gradients gradients)
      : place_(place),
        features_(std::move(features)),
        with_gradients_(gradients == Gradients::kYes),
        gathered_(place_.in() * place_.hidden()) {
    size_t unit = 0, numbers = 0;
    for (size_t rank = 0; rank < outputs.size(); ++rank) {
      Pass pass;
      // What the outputs meet ends with the units that came last.
      pass.first_unit = unit;
      unit = std::max(unit, place_.needs.back()[outputs[rank].first]);
      pass.units = unit - pass.first_unit;
      pass.outputs = outputs[rank];
      // Outputs of this rank and later ones, to one side of the earlier ones'.
      const size_t end = outputs[rank].first + outputs[rank].count;
      const bool ascends = outputs.back().first >= outputs.front().first;
      pass.later = ascends ? Inputs{outputs[rank].first, place_.out() - outputs[rank].first}
                           : Inputs{0, end};
      for (size_t k = 0; k < place_.maps.size(); ++k) PlaceParts(rank, k, pass, numbers);
      passes_.push_back(std::move(pass));
    }
    packed_ = Buffer<T>(numbers);
  }

  void Pack(const T* parameters) {
    const MapPlace& first = place_.maps[0][0];
    for (size_t o = 0; o < first.out; ++o) {
      const T* from = parameters + first.weight + o * first.stride;
      T* to = gathered_.data() + o * first.in;
      for (size_t i = 0; i < first.in; ++i) to[i] = from[place_.inputs[i]];
    }
    for (const Pass& pass : passes_) {
      for (size_t k = 0; k < place_.maps.size(); ++k) PackParts(pass, k, parameters);
    }
  }

  // Of what is known of the input to the outputs of this rank.
  void Forward(size_t rank, const T* input, const Tile& tile, const Hidden<T>& hidden,
               T* out) const {
    const Pass& pass = passes_[rank];
    const size_t own = pass.first_unit * tile.stride, depth = place_.depth();
    for (size_t k = 0; pass.units > 0 && k < depth; ++k) {
      Apply<Finish::kLeaky>(ForwardPart(pass, k), k == 0 ? input : hidden.At(k - 1), tile,
                            hidden.At(k) + own);
    }
    Apply<Finish::kStore>(ForwardPart(pass, depth), hidden.At(depth - 1), tile,
                          out + pass.outputs.first * tile.stride);
  }

  // The way back, rank by rank from the last: `delta` [outputs], known of this rank and
  // later ones; `deltas`, the hidden layers', likewise. Adds to feature_gradient
  // [features] what the column of the rank before gets: all of it.
  void Backward(size_t rank, const Tile& tile, const Hidden<T>& hidden, const T* delta,
                const Hidden<T>& deltas, T* feature_gradient) const {
    const Pass& pass = passes_[rank];
    const size_t own = pass.first_unit * tile.stride;
    for (size_t k = place_.depth(); pass.units > 0 && k > 0; --k) {
      const T* from =
          k == place_.depth() ? delta + pass.later.first * tile.stride : deltas.At(k) + own;
      Apply<Finish::kGate>(BackwardPart(pass, k), from, tile, deltas.At(k - 1) + own,
                           {hidden.At(k - 1) + own, nullptr});
    }
    if (rank == 0) return;
    Apply<Finish::kAdd>(BackwardPart(pass, 0), deltas.At(0) + own, tile,
                        feature_gradient + features_[rank - 1].first * tile.stride);
  }

  const Inputs& FeaturesOf(size_t rank) const { return features_[rank]; }

 private:
  // Some outputs of a map, packed.
  struct Part {
    size_t in = 0, out = 0, weights = 0, bias = 0;
  };
  struct Pass {
    size_t first_unit = 0, units = 0;  // Of every hidden layer.
    Inputs outputs{}, later{};
    std::vector<Part> forward, backward;  // By map.
  };

  // What a pass computes of map k, and on the way back of its inputs.
  void PlaceParts(size_t rank, size_t k, Pass& pass, size_t& numbers) const {
    const size_t depth = place_.depth(), seen = pass.first_unit + pass.units;
    Part there, back;
    there.out = k == depth ? pass.outputs.count : pass.units;
    there.in = seen;
    if (k == 0) there.in = place_.first_feature + features_[rank].first;
    there.weights = std::exchange(numbers, numbers + there.in * there.out);
    there.bias = std::exchange(numbers, numbers + there.out);
    back.out = pass.units;
    if (k == 0) back.out = rank == 0 ? 0 : features_[rank - 1].count;
    back.in = k == depth ? pass.later.count : place_.hidden() - pass.first_unit;
    if (with_gradients_) back.weights = std::exchange(numbers, numbers + back.in * back.out);
    pass.forward.push_back(there);
    pass.backward.push_back(back);
  }

  void PackParts(const Pass& pass, size_t k, const T* parameters) {
    const MapPlace& map = place_.maps[k][0];
    const Part &there = pass.forward[k], &back = pass.backward[k];
    const auto row = [&](size_t o) {
      return k == 0 ? std::as_const(gathered_).data() + o * map.in
                    : parameters + map.weight + o * map.stride;
    };
    const size_t first = k == place_.depth() ? pass.outputs.first : pass.first_unit;
    HWY_NAMESPACE::Pack<T>(
        there.in, there.out, nullptr, [&](size_t o) { return row(first + o); },
        packed_.data() + there.weights);
    std::copy_n(parameters + map.bias + first, there.out, packed_.data() + there.bias);
    if (!with_gradients_ || back.out == 0) return;
    const size_t from = k == place_.depth() ? pass.later.first : pass.first_unit;
    // The column before this pass's is the last one that its units see.
    const size_t column = k == 0 ? there.in - back.out : pass.first_unit;
    PackTransposed<T>(
        back.in, back.out, nullptr, [&](size_t i) { return row(from + i) + column; },
        packed_.data() + back.weights);
  }

  Linear<T> ForwardPart(const Pass& pass, size_t k) const {
    const Part& part = pass.forward[k];
    return {packed_.data() + part.weights, packed_.data() + part.bias, part.in, part.out};
  }
  Linear<T> BackwardPart(const Pass& pass, size_t k) const {
    const Part& part = pass.backward[k];
    return {packed_.data() + part.weights, nullptr, part.in, part.out};
  }

  const NetPlace place_;
  const std::vector<Inputs> features_;
  const bool with_gradients_;
  std::vector<Pass> passes_;
  Buffer<T> packed_;
  Buffer<T> gathered_;  // While packing: the first map's weights in the order of the inputs.
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
