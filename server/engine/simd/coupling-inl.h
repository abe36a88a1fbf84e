// A layer that maps some columns by what a conditioner makes of the others and the
// context.
#if defined(SLUICED_ENGINE_COUPLING_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_COUPLING_INL_H_
#undef SLUICED_ENGINE_COUPLING_INL_H_
#else
#define SLUICED_ENGINE_COUPLING_INL_H_
#endif

#include <algorithm>
#include <utility>

#include "server/engine/simd/affine-inl.h"
#include "server/engine/simd/features-inl.h"
#include "server/engine/simd/net-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// Map: of columns, as Additive, Affine and Splines.
template <typename T, class Map>
class Coupling final : public Piece<T> {
 public:
  Coupling(const LayerPlace& place, Features<T> features, Map map, Gradients gradients,
           SumPlaces* places)
      : moved_(place.moved),
        columns_(place.moved_columns),
        features_(std::move(features)),
        map_(std::move(map)),
        net_(place.net, gradients, places) {}

  void Pack(const T* parameters, PackFor) override { net_.Pack(parameters); }

  void ToBase(const Frame<T>& frame, T* kept) const override {
    Go<Direction::kToBase>(frame, kept);
  }
  void FromBase(const Frame<T>& frame, T* kept) const override {
    Go<Direction::kFromBase>(frame, kept);
  }

  void Backward(Way way, const Frame<T>& frame, const T* kept, const Loss<T>& loss,
                const Sums<T>* sums, T* gradient, bool onwards) const override {
    const Tile& tile = frame.tile;
    T* delta = frame.scratch;
    T* of_features = delta + net_.outputs() * tile.stride;
    T* scratch = of_features + net_.place().features * tile.stride;
    const T* of_map = MapKeptAt(kept, tile);
    T* moved = gradient + moved_ * tile.stride;
    switch (way) {
      case Way::kToBase:
        map_.template Pull<Way::kToBase>(of_map, 0, columns_, tile, loss, moved, delta);
        break;
      case Way::kFromBase:
        map_.template Pull<Way::kFromBase>(of_map, 0, columns_, tile, loss, moved, delta);
        break;
      case Way::kInverse:
        map_.template Pull<Way::kInverse>(of_map, 0, columns_, tile, loss, moved, delta);
        break;
    }
    const size_t first = net_.place().first_feature, count = net_.place().features;
    T* further =
        onwards ? features_.GradientStart(tile, first, count, gradient, of_features) : nullptr;
    BackwardNet(tile, kept, delta, sums, further, scratch);
    if (onwards) features_.AddGradient(tile, kept, first, count, of_features, gradient);
  }

  // The net's part of it, of `delta` [outputs].
  void BackwardNet(const Tile& tile, const T* kept, const T* delta, const Sums<T>* sums,
                   T* feature_gradient, T* scratch) const {
    net_.Backward(kept, tile, HiddenAt(const_cast<T*>(kept), tile), delta, sums, feature_gradient,
                  scratch);
  }

  void FinishSums(const Sums<T>& sums) const override { net_.FinishSums(sums); }

  // The inputs, the hidden layers and what the map keeps.
  size_t KeptFeatures() const override {
    return net_.place().in() + HiddenKept() + map_.KeptAt(columns_);
  }
  size_t ScratchNumbers(size_t stride) const override {
    const size_t in = net_.place().in(), out = net_.outputs();
    const size_t forward =
        (out + in + kPlainBuffers * net_.HiddenFeatures()) * stride + net_.RowNumbers();
    const size_t backward = (out + net_.place().features) * stride + net_.BackwardScratch(stride);
    return std::max(forward, backward);
  }

  const Net<T>& net() const { return net_; }
  const Features<T>& features() const { return features_; }
  const Map& map() const { return map_; }
  // Where it keeps the hidden layers and what the map does; the inputs come first.
  Hidden<T> HiddenAt(T* kept, const Tile& tile) const {
    return {kept + net_.place().in() * tile.stride, net_.HiddenFeatures() * tile.stride,
            net_.place().depth()};
  }
  template <typename U>
  U* MapKeptAt(U* kept, const Tile& tile) const {
    return kept + (net_.place().in() + HiddenKept()) * tile.stride;
  }

 private:
  static constexpr size_t kPlainBuffers = 2;

  size_t HiddenKept() const { return net_.place().depth() * net_.HiddenFeatures(); }

  template <Direction kDirection>
  void Go(const Frame<T>& frame, T* kept) const {
    const Tile& tile = frame.tile;
    T* outputs = frame.scratch;
    T* own = outputs + net_.outputs() * tile.stride;
    T* of_map = nullptr;
    if (kept != nullptr) {
      features_.Gather(tile, frame.state, 0, features_.size(), kept);
      net_.Forward(kept, tile, HiddenAt(kept, tile), Keep::kYes, outputs);
      of_map = MapKeptAt(kept, tile);
    } else {
      const T* input = features_.InPlaceOrGathered(tile, frame.state, own);
      const Hidden<T> hidden = {own + net_.place().in() * tile.stride,
                                net_.HiddenFeatures() * tile.stride, kPlainBuffers};
      if (frame.rows <= kFewRows<T>) {
        T* row = hidden.start + kPlainBuffers * hidden.step;
        net_.ForwardRows(input, frame.rows, tile, hidden, row, outputs);
      } else {
        net_.Forward(input, tile, hidden, Keep::kNo, outputs);
      }
    }
    map_.template Move<kDirection>(outputs, 0, columns_, tile, frame.state + moved_ * tile.stride,
                                   frame.ladj, of_map);
  }

  const size_t moved_, columns_;
  const Features<T> features_;
  const Map map_;
  Net<T> net_;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
