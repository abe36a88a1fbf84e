// Pieces without a conditioner: scales and shifts of whole columns, permutations and
// learnt linear maps.
#if defined(SLUICED_ENGINE_MIXING_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_MIXING_INL_H_
#undef SLUICED_ENGINE_MIXING_INL_H_
#else
#define SLUICED_ENGINE_MIXING_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <vector>

#include "server/engine/buffer.h"
#include "server/engine/layout.h"
#include "server/engine/simd/frame-inl.h"
#include "server/engine/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// u = (x - shift) exp(-log_scale), by column: an act norm. Without shift and the other way
// round it is the scaling that NICE ends with, u = x exp(log_scale).
template <typename T>
class ScaleColumns final : public Piece<T> {
 public:
  ScaleColumns(const ScalePlace& place, size_t dim, SumPlaces* places)
      : place_(place), factors_(2 * dim), shifts_(dim), dim_(dim) {
    first_lane_ = places->lane_parameters.size();
    for (size_t f = 0; place_.shift && f < dim; ++f) {
      places->lane_parameters.push_back(*place_.shift + f);
    }
    for (size_t f = 0; f < dim; ++f) places->lane_parameters.push_back(place_.log_scale + f);
  }

  void Pack(const T* parameters, PackFor) override {
    double sum = 0;
    for (size_t f = 0; f < dim_; ++f) {
      const double moves = Moves(f) ? 1 : 0;
      const double log_scale = moves * static_cast<double>(parameters[place_.log_scale + f]);
      const double to_base = place_.shift ? -log_scale : log_scale;
      factors_.data()[f] = static_cast<T>(std::exp(to_base));
      factors_.data()[dim_ + f] = static_cast<T>(std::exp(-to_base));
      shifts_.data()[f] =
          place_.shift ? static_cast<T>(moves) * parameters[*place_.shift + f] : T{0};
      sum += to_base;
    }
    ladj_ = static_cast<T>(sum);
  }

  void ToBase(const Frame<T>& frame, T* kept) const override {
    ForEach(frame.tile, frame.state, [&](Vec<T> x, Vec<T> shift, Vec<T> factor, Vec<T>) HWY_ATTR {
      return hn::Mul(hn::Sub(x, shift), factor);
    });
    Leave(frame, kept);
  }
  void FromBase(const Frame<T>& frame, T* kept) const override {
    // What is kept is always the base's side.
    if (kept != nullptr) KeepState(frame, kept);
    ForEach(frame.tile, frame.state, [&](Vec<T> z, Vec<T> shift, Vec<T>, Vec<T> inverse) HWY_ATTR {
      return hn::MulAdd(z, inverse, shift);
    });
    Leave(frame, nullptr);
  }

  void Backward(Way way, const Frame<T>& frame, const T* kept, const Loss<T>& loss,
                const Sums<T>* sums, T* gradient, bool) const override {
    const Tag<T> d;
    const T sign = place_.shift ? T{-1} : T{1};
    for (size_t f = 0; f < dim_; ++f) {
      const Vec<T> factor = hn::Set(d, factors_.data()[f]);
      const Vec<T> inverse = hn::Set(d, factors_.data()[dim_ + f]);
      Vec<T> of_shift = hn::Zero(d), of_scale = hn::Zero(d);
      for (size_t v = 0; v < frame.tile.vectors; ++v) {
        const size_t at = f * frame.tile.stride + v * kLanes<T>;
        const Vec<T> g = hn::Load(d, gradient + at), z = hn::Load(d, kept + at);
        const Vec<T> w = hn::Load(d, loss.ladj_slope + v * kLanes<T>);
        const Vec<T> back = hn::Mul(g, way == Way::kFromBase ? inverse : factor);
        // Of u = (x - shift) e, and of x = u / e + shift.
        of_shift = hn::Add(of_shift, way == Way::kFromBase ? g : hn::Neg(back));
        const Vec<T> product = way == Way::kFromBase ? hn::Neg(hn::Mul(back, z)) : hn::Mul(g, z);
        of_scale = hn::Add(of_scale, hn::Add(product, w));
        hn::Store(back, d, gradient + at);
      }
      if (sums == nullptr || !Moves(f)) continue;
      if (place_.shift) AddLane(*sums, f, of_shift);
      AddLane(*sums, (place_.shift ? dim_ : 0) + f, hn::Mul(of_scale, hn::Set(d, sign)));
    }
  }

  size_t KeptFeatures() const override { return dim_; }
  size_t ScratchNumbers(size_t) const override { return 0; }

 private:
  bool Moves(size_t column) const { return place_.still.empty() || !place_.still[column]; }

  void AddLane(const Sums<T>& sums, size_t index, Vec<T> sum) const {
    const Tag<T> d;
    T* to = sums.lanes + (first_lane_ + index) * kLanes<T>;
    hn::Store(hn::Add(hn::Load(d, to), sum), d, to);
  }

  void KeepState(const Frame<T>& frame, T* kept) const {
    std::copy_n(frame.state, dim_ * frame.tile.stride, kept);
  }
  void Leave(const Frame<T>& frame, T* kept) const {
    for (size_t r = 0; r < frame.tile.stride; ++r) frame.ladj[r] += ladj_;
    if (kept != nullptr) KeepState(frame, kept);
  }

  template <typename F>
  void ForEach(const Tile& tile, T* x, F&& map) const {
    const Tag<T> d;
    for (size_t f = 0; f < dim_; ++f) {
      const Vec<T> shift = hn::Set(d, shifts_.data()[f]);
      const Vec<T> factor = hn::Set(d, factors_.data()[f]);
      const Vec<T> inverse = hn::Set(d, factors_.data()[dim_ + f]);
      for (size_t v = 0; v < tile.vectors; ++v) {
        T* at = x + f * tile.stride + v * kLanes<T>;
        hn::Store(map(hn::Load(d, at), shift, factor, inverse), d, at);
      }
    }
  }

  const ScalePlace place_;
  Buffer<T> factors_, shifts_;  // The way to the base, then back.
  const size_t dim_;
  size_t first_lane_;
  T ladj_ = 0;
};

// u[i] = x[order[i]]
template <typename T>
class Permutation final : public Piece<T> {
 public:
  explicit Permutation(std::vector<size_t> order) : order_(std::move(order)), back_(order_.size()) {
    for (size_t i = 0; i < order_.size(); ++i) back_[order_[i]] = i;
  }

  void Pack(const T*, PackFor) override {}
  void ToBase(const Frame<T>& frame, T*) const override { Go(order_, frame, frame.state); }
  void FromBase(const Frame<T>& frame, T*) const override { Go(back_, frame, frame.state); }
  void Backward(Way way, const Frame<T>& frame, const T*, const Loss<T>&, const Sums<T>*,
                T* gradient, bool) const override {
    Go(way == Way::kFromBase ? order_ : back_, frame, gradient);
  }
  size_t KeptFeatures() const override { return 0; }
  size_t ScratchNumbers(size_t stride) const override { return order_.size() * stride; }

 private:
  void Go(const std::vector<size_t>& order, const Frame<T>& frame, T* columns) const {
    const size_t stride = frame.tile.stride;
    std::copy_n(columns, order.size() * stride, frame.scratch);
    for (size_t i = 0; i < order.size(); ++i) {
      std::copy_n(frame.scratch + order[i] * stride, stride, columns + i * stride);
    }
  }

  const std::vector<size_t> order_;
  std::vector<size_t> back_;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
