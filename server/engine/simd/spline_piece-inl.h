// One piece of a rational-quadratic spline and its derivatives, a vector of rows at a
// time. Names and formulas are flows/spline.cc's.
#if defined(SLUICED_ENGINE_SPLINE_PIECE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_SPLINE_PIECE_INL_H_
#undef SLUICED_ENGINE_SPLINE_PIECE_INL_H_
#else
#define SLUICED_ENGINE_SPLINE_PIECE_INL_H_
#endif

#include <cmath>

#include "server/engine/simd/math-inl.h"
#include "server/flows/spline.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// The loss's slopes in what makes a piece.
template <typename T>
struct SplineSlopes {
  Vec<T> point, x, width, y, height, slope, next_slope;
};

template <typename T>
struct SplinePiece {
  static constexpr size_t kKept = 10;

  Vec<T> x, width, y, height;
  Vec<T> index;              // Of the piece; -1 outside of the box.
  Vec<T> slope, next_slope;  // At its two knots, and their own slopes in raw numbers.
  Vec<T> rate, next_rate;
  Vec<T> t;                      // The point's fraction of the width.
  Vec<T> per_width, per_height;  // What made the bins' shares sum up to 1.

  void Keep(T* kept, size_t stride) const {
    const Vec<T> all[] = {width, height,    index, slope,     next_slope,
                          rate,  next_rate, t,     per_width, per_height};
    for (size_t i = 0; i < kKept; ++i) hn::Store(all[i], Tag<T>(), kept + i * stride);
  }
  static SplinePiece Kept(const T* kept, size_t stride) {
    const auto at = [=](size_t i) HWY_ATTR { return hn::Load(Tag<T>(), kept + i * stride); };
    const Vec<T> none = hn::Zero(Tag<T>());
    return {none, at(0), none, at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8), at(9)};
  }

  // slope = softplus(raw + what makes it 1 at 0) + least
  static HWY_INLINE void SlopeOf(Vec<T> raw, Vec<T>& slope, Vec<T>& rate) {
    const Tag<T> d;
    const double offset = std::log(std::expm1(1 - flows::kLeastSlope));
    const Vec<T> one = hn::Set(d, T{1});
    const Vec<T> v = hn::Add(raw, hn::Set(d, static_cast<T>(offset)));
    // As LibTorch, which takes it for v from here on.
    const auto large = hn::Gt(v, hn::Set(d, T{20}));
    const Vec<T> power = Exp<T>(hn::IfThenZeroElse(large, v));
    const Vec<T> softplus = hn::IfThenElse(large, v, Log1pOfPositive<T>(power));
    slope = hn::Add(softplus, hn::Set(d, static_cast<T>(flows::kLeastSlope)));
    rate = hn::IfThenElse(large, one, hn::Div(power, hn::Add(power, one)));
  }

  HWY_INLINE void SetSlopes(Vec<T> raw, Vec<T> raw_next) {
    SlopeOf(raw, slope, rate);
    SlopeOf(raw_next, next_slope, next_rate);
  }
  // Slope 1 at both ends of the box, whatever the numbers.
  HWY_INLINE void SetEnds(T last) {
    const Tag<T> d;
    const Vec<T> one = hn::Set(d, T{1});
    const auto is_first = hn::Eq(index, hn::Zero(d)), is_last = hn::Eq(index, hn::Set(d, last));
    slope = hn::IfThenElse(is_first, one, slope);
    rate = hn::IfThenZeroElse(is_first, rate);
    next_slope = hn::IfThenElse(is_last, one, next_slope);
    next_rate = hn::IfThenZeroElse(is_last, next_rate);
  }

  // y at x, and t.
  HWY_INLINE Vec<T> Forward(Vec<T> point) {
    t = hn::Div(hn::Sub(point, x), width);
    const Common c(*this);
    return hn::Add(y, hn::Mul(hn::Mul(height, c.q), c.inverse));
  }

  // x at y, and t: the root of a quadratic, in the form that does not cancel.
  HWY_INLINE Vec<T> Backward(Vec<T> point) {
    const Tag<T> d;
    const Vec<T> zero = hn::Zero(d), one = hn::Set(d, T{1}), s = hn::Div(height, width);
    const Vec<T> above = hn::Sub(point, y);
    const Vec<T> bend = hn::Sub(hn::Add(next_slope, slope), hn::Add(s, s));
    const Vec<T> a = hn::MulAdd(above, bend, hn::Mul(height, hn::Sub(s, slope)));
    const Vec<T> b = hn::NegMulAdd(above, bend, hn::Mul(height, slope));
    const Vec<T> c = hn::Neg(hn::Mul(s, above));
    const Vec<T> four = hn::Mul(hn::Set(d, T{4}), hn::Mul(a, c));
    // Of two numbers the second is given where one is NaN.
    const Vec<T> root = hn::Sqrt(hn::Max(zero, hn::MulSub(b, b, four)));
    t = hn::Div(hn::Add(c, c), hn::Sub(hn::Neg(b), root));
    t = hn::Min(one, hn::Max(zero, t));
    return hn::MulAdd(t, width, x);
  }

  // log dy/dx at t.
  HWY_INLINE Vec<T> LogSlope() const {
    const Common c(*this);
    return Log<T>(c.Slope());
  }

  // Of a loss that has slope `by_y` in y and `by_log_slope` in log dy/dx.
  HWY_INLINE SplineSlopes<T> Pull(Vec<T> by_y, Vec<T> by_log_slope) const {
    const Tag<T> d;
    const Vec<T> one = hn::Set(d, T{1}), two = hn::Set(d, T{2});
    const Common c(*this);
    const Vec<T> twice_u = hn::Add(c.u, c.u), t2 = hn::Mul(t, t);
    const Vec<T> by_numerator = hn::Mul(by_y, c.inverse);
    const Vec<T> by_q = hn::Mul(by_numerator, height);
    const Vec<T> fraction = hn::Mul(hn::Mul(height, c.q), c.inverse);
    const Vec<T> by_denominator = hn::Neg(
        hn::Mul(hn::MulAdd(by_y, fraction, hn::Add(by_log_slope, by_log_slope)), c.inverse));
    const Vec<T> by_p = hn::Div(by_log_slope, c.p);
    Vec<T> by_s = hn::Div(hn::Add(by_log_slope, by_log_slope), c.s);
    by_s = hn::MulAdd(by_p, twice_u, by_s);
    by_s = hn::MulAdd(by_q, t2, by_s);
    by_s = hn::MulAdd(by_denominator, hn::Sub(one, twice_u), by_s);
    Vec<T> by_u = hn::Mul(by_p, hn::Add(c.s, c.s));
    by_u = hn::MulAdd(by_q, slope, by_u);
    by_u = hn::MulAdd(by_denominator, c.bend, by_u);
    Vec<T> by_t = hn::Mul(hn::Mul(by_p, two), hn::MulSub(next_slope, t, hn::Mul(slope, c.rest)));
    by_t = hn::MulAdd(hn::Mul(by_q, two), hn::Mul(c.s, t), by_t);
    by_t = hn::MulAdd(by_u, hn::Sub(one, hn::Add(t, t)), by_t);
    SplineSlopes<T> by;
    const Vec<T> inverse = hn::Div(one, width);
    by.point = hn::Mul(by_t, inverse);
    by.x = hn::Neg(by.point);
    const Vec<T> by_height = hn::Mul(by_s, inverse);
    by.height = hn::MulAdd(by_numerator, c.q, by_height);
    by.width = hn::Neg(hn::MulAdd(by.point, t, hn::Mul(by_height, c.s)));
    by.y = by_y;
    const Vec<T> both = hn::Mul(by_denominator, c.u);
    by.next_slope = hn::MulAdd(by_p, t2, both);
    by.slope = hn::MulAdd(by_p, hn::Mul(c.rest, c.rest), hn::MulAdd(by_q, c.u, both));
    return by;
  }

  // dy/dx and the slope of its logarithm in x.
  struct Slope {
    Vec<T> slope, of_log;
  };
  Slope SlopeAtPoint() const {
    const Tag<T> d;
    const Common c(*this);
    const Vec<T> zero = hn::Zero(d), one = hn::Set(d, T{1});
    return {c.Slope(), Pull(zero, one).point};
  }

 private:
  // What the formulas share.
  struct Common {
    explicit HWY_INLINE Common(const SplinePiece& piece) {
      const Tag<T> d;
      const Vec<T> t = piece.t;
      s = hn::Div(piece.height, piece.width);
      rest = hn::Sub(hn::Set(d, T{1}), t);
      u = hn::Mul(t, rest);
      bend = hn::Sub(hn::Add(piece.next_slope, piece.slope), hn::Add(s, s));
      q = hn::MulAdd(hn::Mul(s, t), t, hn::Mul(piece.slope, u));
      inverse = hn::Div(hn::Set(d, T{1}), hn::MulAdd(bend, u, s));
      p = hn::MulAdd(hn::Mul(piece.next_slope, t), t, hn::Mul(hn::Add(s, s), u));
      p = hn::MulAdd(hn::Mul(piece.slope, rest), rest, p);
    }
    // Inverses one by one: their square may be no number where the slope is one.
    Vec<T> Slope() const { return hn::Mul(hn::Mul(hn::Mul(hn::Mul(s, s), p), inverse), inverse); }
    Vec<T> s, rest, u, bend, q, inverse, p;
  };
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
