// exp and tanh on vectors. Highway's own exp takes NaN for a small number and does
// not overflow to infinity; a density has to tell the two.
#if defined(SLUICED_ENGINE_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_MATH_INL_H_
#undef SLUICED_ENGINE_MATH_INL_H_
#else
#define SLUICED_ENGINE_MATH_INL_H_
#endif

#include "server/engine/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// log 2 in two parts, the first short enough that its product with a whole number
// is exact (Cody and Waite 1980). kTerms: of the series of exp(r) - 1 on
// |r| <= log(2)/2, so that the rest stays below a quarter of the last digit.
template <typename T>
struct ExpConstants;
template <>
struct ExpConstants<float> {
  static constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  static constexpr float kLowest = -104.0f, kHighest = 89.0f;  // To 0, and to infinity.
  static constexpr float kTanhOne = 20.0f;                     // tanh(x/2) = 1 from here on.
  static constexpr int kTerms = 7, kBias = 127, kMantissa = 23;
};
template <>
struct ExpConstants<double> {
  static constexpr double kLn2High = 6.93145751953125e-1, kLn2Low = 1.42860682030941723212e-6;
  static constexpr double kLowest = -746.0, kHighest = 710.0;
  static constexpr double kTanhOne = 40.0;
  static constexpr int kTerms = 13, kBias = 1023, kMantissa = 52;
};

constexpr double InverseFactorial(int n) { return n <= 1 ? 1.0 : InverseFactorial(n - 1) / n; }

// 2^n for whole n that are no denormal's exponent.
template <typename T, class VI>
HWY_INLINE Vec<T> PowerOfTwo(VI n) {
  const hn::RebindToSigned<Tag<T>> di;
  using C = ExpConstants<T>;
  const VI biased = hn::Add(n, hn::Set(di, C::kBias));
  return hn::BitCast(Tag<T>(), hn::ShiftLeft<C::kMantissa>(biased));
}

// exp(r) - 1 and the n of exp(x) = 2^n exp(r).
template <typename T>
struct Reduced {
  Vec<T> expm1;
  hn::Vec<hn::RebindToSigned<Tag<T>>> n;
};

template <typename T>
HWY_INLINE Reduced<T> Reduce(Vec<T> x) {
  using C = ExpConstants<T>;
  const Tag<T> d;
  const hn::RebindToSigned<Tag<T>> di;
  const Vec<T> n = hn::Round(hn::Mul(x, hn::Set(d, static_cast<T>(1.44269504088896340736))));
  Vec<T> r = hn::NegMulAdd(n, hn::Set(d, C::kLn2High), x);
  r = hn::NegMulAdd(n, hn::Set(d, C::kLn2Low), r);
  Vec<T> series = hn::Set(d, static_cast<T>(InverseFactorial(C::kTerms)));
  SLUICED_UNROLL for (int k = C::kTerms - 1; k >= 2; --k) {
    series = hn::MulAdd(series, r, hn::Set(d, static_cast<T>(InverseFactorial(k))));
  }
  return {hn::MulAdd(hn::Mul(r, r), series, r), hn::ConvertTo(di, n)};
}

// Within 2 units in the last place; 0 and inf where it under- and overflows; NaN
// stays NaN.
template <typename T>
HWY_INLINE Vec<T> Exp(Vec<T> x) {
  using C = ExpConstants<T>;
  const Tag<T> d;
  const Vec<T> inside = hn::Max(hn::Min(x, hn::Set(d, C::kHighest)), hn::Set(d, C::kLowest));
  const Reduced<T> parts = Reduce<T>(inside);
  // In two factors: 2^n alone may be no normal number where the result is one.
  const auto half = hn::ShiftRight<1>(parts.n);
  const Vec<T> one_plus = hn::Add(parts.expm1, hn::Set(d, T{1}));
  const Vec<T> result =
      hn::Mul(hn::Mul(one_plus, PowerOfTwo<T>(half)), PowerOfTwo<T>(hn::Sub(parts.n, half)));
  return hn::IfThenElse(hn::Eq(x, x), result, x);
}

// Within 4 units in the last place, near 0 too; NaN stays NaN.
template <typename T>
HWY_INLINE Vec<T> Tanh(Vec<T> x) {
  using C = ExpConstants<T>;
  const Tag<T> d;
  const Vec<T> one = hn::Set(d, T{1});
  const Vec<T> magnitude = hn::Abs(x);
  const Vec<T> twice = hn::Min(hn::Add(magnitude, magnitude), hn::Set(d, C::kTanhOne));
  const Reduced<T> parts = Reduce<T>(twice);
  const Vec<T> power = PowerOfTwo<T>(parts.n);
  const Vec<T> expm1 = hn::MulAdd(power, parts.expm1, hn::Sub(power, one));
  const Vec<T> result = hn::Div(expm1, hn::Add(expm1, hn::Set(d, T{2})));
  return hn::IfThenElse(hn::Eq(x, x), hn::CopySignToAbs(result, x), x);
}

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
