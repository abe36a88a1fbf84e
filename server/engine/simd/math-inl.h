// exp, tanh and logarithms on vectors. Highway's own exp takes NaN for a small number and does
// not overflow to infinity; a density has to tell the two.
#if defined(SLUICED_ENGINE_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_MATH_INL_H_
#undef SLUICED_ENGINE_MATH_INL_H_
#else
#define SLUICED_ENGINE_MATH_INL_H_
#endif

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "hwy/contrib/math/math-inl.h"
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
  static constexpr float kLowestNormal = -87.0f;
  static constexpr size_t kTerms = 7;
  static constexpr int kBias = 127, kMantissa = 23;
  static constexpr int kLogTerms = 5;
  static constexpr uint32_t kMantissaMask = 0x7fffff, kRootHalf = 0x3f3504f3;
};
template <>
struct ExpConstants<double> {
  static constexpr double kLn2High = 6.93145751953125e-1, kLn2Low = 1.42860682030941723212e-6;
  static constexpr double kLowest = -746.0, kHighest = 710.0;
  static constexpr double kTanhOne = 40.0;
  static constexpr double kLowestNormal = -708.0;
  static constexpr size_t kTerms = 13;
  static constexpr int kBias = 1023, kMantissa = 52;
  static constexpr int kLogTerms = 10;
  static constexpr uint64_t kMantissaMask = 0xfffffffffffff, kRootHalf = 0x3fe6a09e667f3bcd;
};

// 1 / n!, looked up when compiled: not to be computed in a loop.
inline constexpr auto kInverseFactorial = [] {
  std::array<double, 14> values = {1.0};
  for (size_t n = 1; n < values.size(); ++n) values[n] = values[n - 1] / static_cast<double>(n);
  return values;
}();

// 2^n for whole n that are no denormal's exponent.
template <typename T, class VI>
HWY_INLINE Vec<T> PowerOfTwo(VI n) {
  const hn::RebindToSigned<Tag<T>> di;
  using C = ExpConstants<T>;
  const VI biased = hn::Add(n, hn::Set(di, C::kBias));
  return hn::BitCast(Tag<T>(), hn::ShiftLeft<C::kMantissa>(biased));
}

// The sum over k < kCount of r^k / (kFirst + k)!, by halves: most of its products wait for
// no other (Estrin 1960). powers: r, r^2, r^4, r^8.
template <typename T, size_t kFirst, size_t kCount>
HWY_INLINE Vec<T> ExpSeries(const Vec<T> (&powers)[4]) {
  const Tag<T> d;
  if constexpr (kCount == 1) {
    return hn::Set(d, static_cast<T>(kInverseFactorial[kFirst]));
  } else {
    constexpr size_t kPower = std::bit_width(kCount - 1) - 1, kHalf = size_t{1} << kPower;
    return hn::MulAdd(ExpSeries<T, kFirst + kHalf, kCount - kHalf>(powers), powers[kPower],
                      ExpSeries<T, kFirst, kHalf>(powers));
  }
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
  const Vec<T> r2 = hn::Mul(r, r), r4 = hn::Mul(r2, r2);
  const Vec<T> powers[] = {r, r2, r4, hn::Mul(r4, r4)};
  const Vec<T> series = ExpSeries<T, 2, C::kTerms - 1>(powers);
  return {hn::MulAdd(r2, series, r), hn::ConvertTo(di, n)};
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

// Exp of what is not above 0; 0 where it would be no normal number.
template <typename T>
HWY_INLINE Vec<T> ExpOfNegative(Vec<T> x) {
  using C = ExpConstants<T>;
  const Tag<T> d;
  const auto vanishes = hn::Lt(x, hn::Set(d, C::kLowestNormal));
  const Reduced<T> parts = Reduce<T>(hn::IfThenZeroElse(vanishes, x));
  const Vec<T> one_plus = hn::Add(parts.expm1, hn::Set(d, T{1}));
  return hn::IfThenZeroElse(vanishes, hn::Mul(one_plus, PowerOfTwo<T>(parts.n)));
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

// log(x) of a positive normal number: x = 2^n (1 + f), 1 + f about 1, and log(1 + f) =
// 2 atanh(f / (2 + f)).
template <typename T>
HWY_INLINE Vec<T> LogOfNormal(Vec<T> x) {
  using C = ExpConstants<T>;
  const Tag<T> d;
  const hn::RebindToSigned<Tag<T>> di;
  using I = hn::TFromD<decltype(di)>;
  // Exponents count from sqrt(1/2).
  constexpr auto kRootHalf = static_cast<I>(C::kRootHalf);
  const auto bits = hn::Sub(hn::BitCast(di, x), hn::Set(di, kRootHalf));
  const auto n = hn::ShiftRight<C::kMantissa>(bits);
  const auto rest = hn::And(bits, hn::Set(di, static_cast<I>(C::kMantissaMask)));
  const Vec<T> f = hn::Sub(hn::BitCast(d, hn::Add(rest, hn::Set(di, kRootHalf))), hn::Set(d, T{1}));
  const Vec<T> s = hn::Div(f, hn::Add(f, hn::Set(d, T{2})));
  const Vec<T> square = hn::Mul(s, s);
  // atanh(s) / s - 1, over s^2.
  Vec<T> series = hn::Set(d, static_cast<T>(1.0 / (2 * C::kLogTerms + 1)));
  SLUICED_UNROLL for (int k = C::kLogTerms - 1; k >= 1; --k) {
    series = hn::MulAdd(series, square, hn::Set(d, static_cast<T>(1.0 / (2 * k + 1))));
  }
  const Vec<T> twice = hn::Add(s, s);
  // 2 s = f - s f: the rounding of the large part is f's, which is none.
  const Vec<T> tail = hn::MulSub(twice, hn::Mul(square, series), hn::Mul(s, f));
  const Vec<T> whole = hn::ConvertTo(d, n);
  const Vec<T> low = hn::MulAdd(whole, hn::Set(d, C::kLn2Low), tail);
  return hn::MulAdd(whole, hn::Set(d, C::kLn2High), hn::Add(f, low));
}

// -inf of 0, NaN below it; inf and NaN stay.
template <typename T>
HWY_INLINE Vec<T> Log(Vec<T> x) {
  using C = ExpConstants<T>;
  const Tag<T> d;
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  // Denormals are lifted first.
  constexpr int kLift = C::kMantissa + 1;
  constexpr T kScale = static_cast<T>(uint64_t{1} << kLift);
  const auto tiny = hn::Lt(x, hn::Set(d, std::numeric_limits<T>::min()));
  const Vec<T> normal = LogOfNormal<T>(hn::IfThenElse(tiny, hn::Mul(x, hn::Set(d, kScale)), x));
  Vec<T> log = hn::IfThenElse(
      tiny, hn::Sub(normal, hn::Set(d, static_cast<T>(kLift * 0.69314718055994530942))), normal);
  log = hn::IfThenElse(hn::Lt(x, hn::Set(d, kInfinity)), log, x);
  log = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Set(d, -kInfinity), log);
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Set(d, std::numeric_limits<T>::quiet_NaN()),
                        log);
}

// log(1 + x) for x >= 0, near 0 too (Kahan's correction of the rounded sum); inf and NaN
// stay.
template <typename T>
HWY_INLINE Vec<T> Log1pOfPositive(Vec<T> x) {
  const Tag<T> d;
  const Vec<T> one = hn::Set(d, T{1});
  const Vec<T> sum = hn::Add(x, one);
  const Vec<T> lost = hn::Sub(x, hn::Sub(sum, one));
  const Vec<T> log = hn::Add(LogOfNormal<T>(sum), hn::Div(lost, sum));
  return hn::IfThenElse(hn::Lt(x, hn::Set(d, std::numeric_limits<T>::infinity())), log, x);
}

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
