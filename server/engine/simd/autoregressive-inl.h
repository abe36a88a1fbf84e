// A layer that maps each column by what a masked conditioner makes of those before it.
// The way to the base knows all columns at once, and is a coupling's that moves what it
// sees; the way from it finds column after column.
#if defined(SLUICED_ENGINE_AUTOREGRESSIVE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_AUTOREGRESSIVE_INL_H_
#undef SLUICED_ENGINE_AUTOREGRESSIVE_INL_H_
#else
#define SLUICED_ENGINE_AUTOREGRESSIVE_INL_H_
#endif

#include <algorithm>
#include <utility>
#include <vector>

#include "server/engine/simd/coupling-inl.h"
#include "server/engine/simd/sequential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

template <typename T, class Map>
class Autoregressive final : public Piece<T> {
 public:
  Autoregressive(const LayerPlace& place, Features<T> features, Map map, Gradients gradients,
                 SumPlaces* places)
      : order_(place.order),
        whole_(place, std::move(features), std::move(map), gradients, places),
        sequential_(place.net, OutputsByRank(), FeaturesByRank(), gradients) {}

  void Pack(const T* parameters, PackFor what) override {
    whole_.Pack(parameters, what);
    if (what == PackFor::kAll) sequential_.Pack(parameters);
  }

  void ToBase(const Frame<T>& frame, T* kept) const override { whole_.ToBase(frame, kept); }

  void FromBase(const Frame<T>& frame, T* kept) const override {
    const Tile& tile = frame.tile;
    T* outputs = frame.scratch;
    T* input = kept == nullptr ? outputs + net().outputs() * tile.stride : kept;
    T* of_map = kept == nullptr ? nullptr : whole_.MapKeptAt(kept, tile);
    const size_t context = net().place().first_feature;
    whole_.features().Gather(tile, frame.state, 0, context, input);
    for (size_t rank = 0; rank < order_.size(); ++rank) {
      sequential_.Forward(rank, input, tile, whole_.HiddenAt(input, tile), outputs);
      whole_.map().template Move<Direction::kFromBase>(outputs, order_[rank], 1, tile, frame.state,
                                                       frame.ladj, of_map);
      const Inputs& features = sequential_.FeaturesOf(rank);
      whole_.features().Gather(tile, frame.state, context + features.first, features.count, input);
    }
  }

  void Backward(Way way, const Frame<T>& frame, const T* kept, const Loss<T>& loss,
                const Sums<T>* sums, T* gradient, bool onwards) const override {
    if (way != Way::kFromBase) {
      return whole_.Backward(way, frame, kept, loss, sums, gradient, onwards);
    }
    const Tile& tile = frame.tile;
    const size_t context = net().place().first_feature, count = net().place().features;
    T* delta = frame.scratch;
    T* own = delta + net().outputs() * tile.stride;
    T* scratch = own + count * tile.stride;
    const Hidden<T> hidden = whole_.HiddenAt(const_cast<T*>(kept), tile);
    const Hidden<T> deltas = {scratch, hidden.step, hidden.buffers};
    T* by_features = whole_.features().GradientStart(tile, context, count, gradient, own);
    for (size_t rank = order_.size(); rank-- > 0;) {
      whole_.map().template Pull<Way::kFromBase>(whole_.MapKeptAt(kept, tile), order_[rank], 1,
                                                 tile, loss, gradient, delta);
      sequential_.Backward(rank, tile, hidden, delta, deltas, by_features);
      if (rank == 0) break;
      const Inputs& before = sequential_.FeaturesOf(rank - 1);
      whole_.features().AddGradient(tile, kept, context + before.first, before.count,
                                    by_features + before.first * tile.stride, gradient);
    }
    if (sums != nullptr) whole_.BackwardNet(tile, kept, delta, sums, nullptr, scratch);
  }

  void FinishSums(const Sums<T>& sums) const override { whole_.FinishSums(sums); }

  size_t KeptFeatures() const override { return whole_.KeptFeatures(); }
  size_t ScratchNumbers(size_t stride) const override {
    // Hidden layers, or their gradients, all at once.
    const size_t features =
        net().outputs() + net().place().in() + net().place().depth() * net().HiddenFeatures();
    return std::max(whole_.ScratchNumbers(stride), features * stride);
  }

 private:
  const Net<T>& net() const { return whole_.net(); }

  std::vector<Inputs> OutputsByRank() const {
    std::vector<Inputs> outputs;
    for (size_t column : order_) {
      const size_t first = whole_.map().OutputAt(column);
      outputs.push_back({first, whole_.map().OutputAt(column + 1) - first});
    }
    return outputs;
  }
  std::vector<Inputs> FeaturesByRank() const {
    std::vector<Inputs> features;
    size_t at = 0;
    for (size_t column : order_) {
      const size_t count = whole_.features().FeaturesOf(column);
      features.push_back({at, count});
      at += count;
    }
    return features;
  }

  const std::vector<size_t> order_;
  Coupling<T, Map> whole_;
  SequentialNet<T> sequential_;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
