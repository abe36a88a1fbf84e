// A conditioner's weights, as they are multiplied with: without what masks leave out, and
// transposed for the way back.
#if defined(SLUICED_ENGINE_PACKED_NET_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_PACKED_NET_INL_H_
#undef SLUICED_ENGINE_PACKED_NET_INL_H_
#else
#define SLUICED_ENGINE_PACKED_NET_INL_H_
#endif

#include <algorithm>
#include <utility>
#include <vector>

#include "server/engine/buffer.h"
#include "server/engine/layout.h"
#include "server/engine/program.h"
#include "server/engine/simd/linear-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

template <typename T>
class PackedNet {
 public:
  PackedNet(NetPlace place, Gradients gradients)
      : place_(std::move(place)), with_gradients_(gradients == Gradients::kYes) {
    if (!place_.needs.empty()) FindBlocks();
    size_t numbers = 0;
    for (size_t k = 0; k < place_.maps.size(); ++k) {
      const MapPlace& map = place_.maps[k][0];
      const size_t out = OutputsOf(k);
      packs_.emplace_back(k == 0 ? 1 : place_.nets());
      for (Packed& packed : packs_.back()) {
        packed.forward = std::exchange(numbers, numbers + WeightsOf(k, true, map.in, out));
        packed.bias = std::exchange(numbers, numbers + out);
        if (!with_gradients_) continue;
        packed.backward = std::exchange(numbers, numbers + WeightsOf(k, false, out, FeaturesOf(k)));
      }
    }
    packed_ = Buffer<T>(numbers);
    if (place_.inputs.empty()) return;
    size_t most = place_.in() * HiddenFeatures();
    for (size_t k = 1; k < place_.maps.size(); ++k) {
      most = std::max(most, place_.maps[k][0].in * place_.maps[k][0].out);
    }
    gathered_ = Buffer<T>(most);
  }

  const NetPlace& place() const { return place_; }
  size_t HiddenFeatures() const { return place_.nets() * place_.hidden(); }

  void Pack(const T* parameters) {
    PackFirst(parameters);
    for (size_t k = 1; k < place_.maps.size(); ++k) {
      for (size_t net = 0; net < place_.nets(); ++net) {
        PackOne(k, net, parameters);
      }
    }
  }

  // Map k; of the first one both nets', which read the same.
  Linear<T> Forward(size_t k, size_t net) const {
    const Packed& packed = packs_[k][net];
    return {packed_.data() + packed.forward, packed_.data() + packed.bias, place_.maps[k][net].in,
            OutputsOf(k), Needed(k)};
  }
  // Its transposed, of the first one to the features of columns.
  Linear<T> Backward(size_t k, size_t net) const {
    return {packed_.data() + packs_[k][net].backward, nullptr, OutputsOf(k), FeaturesOf(k),
            blocks_.empty() ? nullptr : blocks_[k].backward.data()};
  }
  // What each block of a map's outputs needs; null: all.
  const Inputs* Needed(size_t k) const {
    return blocks_.empty() ? nullptr : blocks_[k].forward.data();
  }

 private:
  // Where a map's packed weights begin.
  struct Packed {
    size_t forward = 0, bias = 0, backward = 0;
  };
  // What each block of a masked map's outputs needs, and the other way round.
  struct Blocks {
    std::vector<Inputs> forward, backward;
  };

  size_t OutputsOf(size_t k) const { return k == 0 ? HiddenFeatures() : place_.maps[k][0].out; }
  // Inputs that the way back goes to.
  size_t FeaturesOf(size_t k) const { return k == 0 ? place_.features : place_.maps[k][0].in; }

  // Numbers of map k, packed.
  size_t WeightsOf(size_t k, bool forward, size_t in, size_t out) const {
    if (place_.needs.empty()) return in * out;
    const Inputs* needed = forward ? blocks_[k].forward.data() : blocks_[k].backward.data();
    size_t count = 0;
    for (size_t o = 0; o < out; ++needed) {
      count += needed->count * BlockAt(o, out);
      o += BlockAt(o, out);
    }
    return count;
  }

  // What blocks of outputs need of the inputs is what the neediest does.
  void FindBlocks() {
    for (size_t k = 0; k < place_.maps.size(); ++k) {
      const std::vector<size_t>& needs = place_.needs[k];
      Blocks blocks;
      for (size_t o = 0; o < needs.size();) {
        const size_t block = BlockAt(o, needs.size());
        const auto first = needs.begin() + static_cast<std::ptrdiff_t>(o);
        blocks.forward.push_back(
            {0, *std::max_element(first, first + static_cast<std::ptrdiff_t>(block))});
        o += block;
      }
      // The other way round inputs are outputs, and those that meet one lie side by side.
      const size_t skipped = k == 0 ? place_.first_feature : 0;
      const size_t inputs = k == 0 ? place_.features : place_.maps[k][0].in;
      for (size_t i = 0; i < inputs;) {
        const auto meets = [&](size_t need) { return need > skipped + i; };
        const auto first = std::find_if(needs.begin(), needs.end(), meets);
        const auto end = std::find_if(needs.rbegin(), needs.rend(), meets).base();
        blocks.backward.push_back({static_cast<size_t>(first - needs.begin()),
                                   first < end ? static_cast<size_t>(end - first) : 0});
        i += BlockAt(i, inputs);
      }
      blocks_.push_back(std::move(blocks));
    }
  }

  // One map's weights as they are multiplied with; row(o): in the parameters.
  template <typename Row>
  void PackMap(size_t k, const Packed& packed, size_t in, size_t out, const Row& row) {
    const Blocks* blocks = place_.needs.empty() ? nullptr : &blocks_[k];
    HWY_NAMESPACE::Pack<T>(in, out, blocks == nullptr ? nullptr : blocks->forward.data(), row,
                           packed_.data() + packed.forward);
    if (!with_gradients_) return;
    const size_t skipped = k == 0 ? place_.first_feature : 0;
    PackTransposed<T>(
        out, k == 0 ? place_.features : in, blocks == nullptr ? nullptr : blocks->backward.data(),
        [&](size_t o) { return row(o) + skipped; }, packed_.data() + packed.backward);
  }

  // Rows in the order of the inputs, and without what the masks leave out.
  template <typename Row>
  void PackGathered(size_t k, const Packed& packed, size_t in, size_t out, const Row& row) {
    const bool ordered = k == 0 && !place_.inputs.empty();
    for (size_t o = 0; o < out; ++o) {
      const T* from = row(o);
      T* to = gathered_.data() + o * in;
      const size_t met = place_.needs.empty() ? in : place_.needs[k][o];
      for (size_t i = 0; i < met; ++i) to[i] = from[ordered ? place_.inputs[i] : i];
      std::fill(to + met, to + in, T{0});
    }
    PackMap(k, packed, in, out, [&](size_t o) { return std::as_const(gathered_).data() + o * in; });
  }

  void PackOne(size_t k, size_t net, const T* parameters) {
    const MapPlace& map = place_.maps[k][net];
    const auto row = [&](size_t o) { return parameters + map.weight + o * map.stride; };
    const Packed& packed = packs_[k][net];
    std::copy_n(parameters + map.bias, map.out, packed_.data() + packed.bias);
    if (place_.needs.empty()) {
      PackMap(k, packed, map.in, map.out, row);
    } else {
      PackGathered(k, packed, map.in, map.out, row);
    }
  }

  void PackFirst(const T* parameters) {
    const size_t hidden = place_.hidden();
    const auto row = [&](size_t o) {
      const MapPlace& map = place_.maps[0][o / hidden];
      return parameters + map.weight + o % hidden * map.stride;
    };
    if (place_.inputs.empty()) {
      PackMap(0, packs_[0][0], place_.in(), HiddenFeatures(), row);
    } else {
      PackGathered(0, packs_[0][0], place_.in(), HiddenFeatures(), row);
    }
    for (size_t net = 0; net < place_.nets(); ++net) {
      std::copy_n(parameters + place_.maps[0][net].bias, hidden,
                  packed_.data() + packs_[0][0].bias + net * hidden);
    }
  }

  const NetPlace place_;
  const bool with_gradients_;
  std::vector<std::vector<Packed>> packs_;  // By map and net.
  Buffer<T> packed_;
  // While packing: a map's weights in the order of the inputs, masked.
  Buffer<T> gathered_;
  std::vector<Blocks> blocks_;  // Of masked nets, by map.
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
