// Compiled once for every SIMD target: see hwy/foreach_target.h.
#include "tests/bench/peak.h"

#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/bench/peak.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::bench {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Twelve sums: two units times a latency of four or five, and some.
template <typename T>
HWY_NOINLINE double Rounds(int rounds) {
  constexpr size_t kSums = 12;
  const hn::ScalableTag<T> d;
  using V = decltype(hn::Zero(d));
  // Of no value that the compiler knows, and so near 1 and 0 that nothing overflows.
  volatile T unknown = static_cast<T>(0.999);
  const V factor = hn::Set(d, unknown), term = hn::Set(d, static_cast<T>(1e-3));
  // Each begins elsewhere, or the compiler would see that all are one.
  V s0 = hn::Mul(factor, factor), s1 = hn::Add(s0, term), s2 = hn::Add(s1, term);
  V s3 = hn::Add(s2, term), s4 = hn::Add(s3, term), s5 = hn::Add(s4, term);
  V s6 = hn::Add(s5, term), s7 = hn::Add(s6, term), s8 = hn::Add(s7, term);
  V s9 = hn::Add(s8, term), s10 = hn::Add(s9, term), s11 = hn::Add(s10, term);
  for (int round = 0; round < rounds; ++round) {
    s0 = hn::MulAdd(s0, factor, term);
    s1 = hn::MulAdd(s1, factor, term);
    s2 = hn::MulAdd(s2, factor, term);
    s3 = hn::MulAdd(s3, factor, term);
    s4 = hn::MulAdd(s4, factor, term);
    s5 = hn::MulAdd(s5, factor, term);
    s6 = hn::MulAdd(s6, factor, term);
    s7 = hn::MulAdd(s7, factor, term);
    s8 = hn::MulAdd(s8, factor, term);
    s9 = hn::MulAdd(s9, factor, term);
    s10 = hn::MulAdd(s10, factor, term);
    s11 = hn::MulAdd(s11, factor, term);
  }
  const V even = hn::Add(hn::Add(hn::Add(s0, s2), hn::Add(s4, s6)), hn::Add(s8, s10));
  const V odd = hn::Add(hn::Add(hn::Add(s1, s3), hn::Add(s5, s7)), hn::Add(s9, s11));
  volatile T kept = hn::GetLane(hn::Add(even, odd));
  static_cast<void>(kept);
  return 2.0 * kSums * static_cast<double>(hn::Lanes(d)) * rounds;
}

double RoundsOfFloats(int rounds) { return Rounds<float>(rounds); }
double RoundsOfDoubles(int rounds) { return Rounds<double>(rounds); }

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::bench
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluiced::bench {

HWY_EXPORT(RoundsOfFloats);
HWY_EXPORT(RoundsOfDoubles);

template <>
double MultiplyAdd<float>(int rounds) {
  return HWY_DYNAMIC_DISPATCH(RoundsOfFloats)(rounds);
}
template <>
double MultiplyAdd<double>(int rounds) {
  return HWY_DYNAMIC_DISPATCH(RoundsOfDoubles)(rounds);
}

}  // namespace sluiced::bench
#endif
