// From the data's space to the one that the layers work in, and back: each column's
// support, then the standardisation. flows/data_map.cc has the same.
#if defined(SLUICED_ENGINE_DATA_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_DATA_INL_H_
#undef SLUICED_ENGINE_DATA_INL_H_
#else
#define SLUICED_ENGINE_DATA_INL_H_
#endif

#include <cmath>
#include <limits>
#include <vector>

#include "server/engine/simd/math-inl.h"
#include "server/engine/simd/rows-inl.h"
#include "server/flows/flow_spec.h"
#include "server/flows/standardization.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

template <typename T>
class DataMap {
 public:
  DataMap(const flows::FlowSpec& spec, const flows::Standardization& standardization)
      : standard_(standardization.shift, standardization.scale),
        bound_(static_cast<T>(spec.bound)) {
    for (const flows::Column& column : spec.columns) {
      if (column.support != flows::Support::kReal) columns_.push_back(PlaceOf(spec, column));
    }
  }

  // In place; ladj: of the map to the base, [stride]. Outside of its column's support a
  // value maps to NaN.
  void Forward(const Tile& tile, T* x, T* ladj) const {
    const Tag<T> d;
    for (const Place& place : columns_) {
      for (size_t v = 0; v < tile.vectors; ++v) {
        T* at = x + place.column * tile.stride + v * kLanes<T>;
        T* sum = ladj + v * kLanes<T>;
        const Image image = ToReal(place, hn::Load(d, at));
        hn::Store(image.value, d, at);
        hn::Store(hn::Add(hn::Load(d, sum), image.ladj), d, sum);
      }
    }
    standard_.Forward(tile, x);
    AddConstant(tile, ladj);
  }

  void Backward(const Tile& tile, T* u, T* ladj) const {
    const Tag<T> d;
    standard_.Backward(tile, u);
    for (const Place& place : columns_) {
      for (size_t v = 0; v < tile.vectors; ++v) {
        T* at = u + place.column * tile.stride + v * kLanes<T>;
        T* sum = ladj + v * kLanes<T>;
        const Image image = FromReal(place, hn::Load(d, at));
        hn::Store(image.value, d, at);
        hn::Store(hn::Sub(hn::Load(d, sum), image.ladj), d, sum);
      }
    }
    AddConstant(tile, ladj);
  }

  // Gradients in u, the layers' space, out of those in x = Backward(u); the loss has slope
  // ladj_slope [stride] in ladj.
  void PullBack(const Tile& tile, const T* u, const T* ladj_slope, T* gradient) const {
    const Tag<T> d;
    for (const Place& place : columns_) {
      for (size_t v = 0; v < tile.vectors; ++v) {
        const size_t at = place.column * tile.stride + v * kLanes<T>;
        const Vec<T> real = standard_.BackwardOne(place.column, hn::Load(d, u + at));
        const Vec<T> w = hn::Load(d, ladj_slope + v * kLanes<T>);
        const Slopes slopes = SlopesAt(place, real);
        const Vec<T> by_x = hn::Mul(hn::Load(d, gradient + at), slopes.value);
        hn::Store(hn::NegMulAdd(w, slopes.ladj, by_x), d, gradient + at);
      }
    }
    standard_.PullBack(tile, gradient);
  }

 private:
  struct Place {
    size_t column;
    flows::Support support;
    bool affine;  // An interval under a uniform base, or a circle: both onto the box.
    T low, high, width;
    T lowest, highest;  // The outermost numbers of an open support.
  };
  struct Image {
    Vec<T> value, ladj;
  };
  // Of FromReal, in the real number.
  using Slopes = Image;

  static Place PlaceOf(const flows::FlowSpec& spec, const flows::Column& column) {
    const auto low = static_cast<T>(column.low), high = static_cast<T>(column.high);
    const bool positive = column.support == flows::Support::kPositive;
    return {.column = static_cast<size_t>(column.index),
            .support = column.support,
            .affine = !positive && (spec.base == flows::Base::kUniform ||
                                    column.support == flows::Support::kPeriodic),
            .low = low,
            .high = high,
            .width = high - low,
            .lowest = positive ? std::numeric_limits<T>::min() : std::nextafter(low, high),
            .highest = positive ? std::numeric_limits<T>::infinity() : std::nextafter(high, low)};
  }

  void AddConstant(const Tile& tile, T* ladj) const {
    const Tag<T> d;
    for (size_t v = 0; v < tile.vectors; ++v) {
      T* sum = ladj + v * kLanes<T>;
      hn::Store(hn::Add(hn::Load(d, sum), hn::Set(d, standard_.ladj())), d, sum);
    }
  }

  Image ToReal(const Place& place, Vec<T> x) const {
    const Tag<T> d;
    const Vec<T> low = hn::Set(d, place.low), high = hn::Set(d, place.high);
    const Vec<T> bound = hn::Set(d, bound_), both = hn::Add(bound, bound);
    Image image;
    auto inside = hn::Eq(x, x);
    if (place.affine) {
      Vec<T> turn = hn::Div(hn::Sub(x, low), hn::Set(d, place.width));
      if (place.support == flows::Support::kPeriodic) {
        turn = hn::Sub(turn, hn::Floor(turn));
        image.value = hn::Sub(hn::Mul(turn, both), bound);
      } else {
        inside = hn::And(hn::Ge(x, low), hn::Le(x, high));
        image.value = hn::Mul(hn::Sub(hn::Add(turn, turn), hn::Set(d, T{1})), bound);
      }
      image.ladj = hn::Set(d, std::log(2 * bound_ / place.width));
    } else if (place.support == flows::Support::kPositive) {
      inside = hn::Gt(x, hn::Zero(d));
      image.value = Log<T>(x);
      image.ladj = hn::Neg(image.value);
    } else {
      inside = hn::And(hn::Gt(x, low), hn::Lt(x, high));
      const Vec<T> above = Log<T>(hn::Sub(x, low)), below = Log<T>(hn::Sub(high, x));
      image.value = hn::Sub(above, below);
      image.ladj = hn::Sub(hn::Sub(hn::Set(d, std::log(place.width)), above), below);
    }
    constexpr T kInfinity = std::numeric_limits<T>::infinity();
    image.value =
        hn::IfThenElse(inside, image.value, hn::Set(d, std::numeric_limits<T>::quiet_NaN()));
    image.ladj = hn::IfThenElse(inside, image.ladj, hn::Set(d, -kInfinity));
    return image;
  }

  Image FromReal(const Place& place, Vec<T> u) const {
    const Tag<T> d;
    const Vec<T> low = hn::Set(d, place.low), width = hn::Set(d, place.width);
    // Rounding never takes x out of an open support; NaN stays.
    const auto clamp = [&](Vec<T> x) HWY_ATTR {
      return hn::Min(hn::Set(d, place.highest), hn::Max(hn::Set(d, place.lowest), x));
    };
    if (place.affine) {
      const Vec<T> bound = hn::Set(d, bound_);
      const Vec<T> turn = hn::Div(hn::Add(u, bound), hn::Add(bound, bound));
      return {hn::MulAdd(turn, width, low), hn::Set(d, std::log(place.width / (2 * bound_)))};
    }
    if (place.support == flows::Support::kPositive) return {clamp(Exp<T>(u)), u};
    const Vec<T> magnitude = hn::Abs(u);
    const Vec<T> tail = Log1pOfPositive<T>(Exp<T>(hn::Neg(magnitude)));
    const Vec<T> ladj =
        hn::Sub(hn::Set(d, std::log(place.width)), hn::Add(magnitude, hn::Add(tail, tail)));
    return {clamp(hn::MulAdd(width, Sigmoid(u), low)), ladj};
  }

  Slopes SlopesAt(const Place& place, Vec<T> u) const {
    const Tag<T> d;
    const Vec<T> one = hn::Set(d, T{1}), width = hn::Set(d, place.width);
    if (place.affine) return {hn::Set(d, place.width / (2 * bound_)), hn::Zero(d)};
    Vec<T> x, slope, of_ladj;
    if (place.support == flows::Support::kPositive) {
      x = slope = Exp<T>(u);
      of_ladj = one;
    } else {
      const Vec<T> s = Sigmoid(u);
      x = hn::MulAdd(width, s, hn::Set(d, place.low));
      slope = hn::Mul(width, hn::Mul(s, hn::Sub(one, s)));
      of_ladj = hn::Sub(one, hn::Add(s, s));
    }
    const auto open =
        hn::And(hn::Ge(x, hn::Set(d, place.lowest)), hn::Le(x, hn::Set(d, place.highest)));
    return {hn::IfThenElseZero(open, slope), of_ladj};
  }

  static Vec<T> Sigmoid(Vec<T> u) {
    const Tag<T> d;
    const Vec<T> one = hn::Set(d, T{1});
    return hn::Div(one, hn::Add(one, Exp<T>(hn::Neg(u))));
  }

  const ColumnMap<T> standard_;
  const T bound_;
  std::vector<Place> columns_;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
