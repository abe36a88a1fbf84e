// Sums over the lanes of several vectors at once.
#if defined(SLUICED_ENGINE_LANE_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_LANE_SUMS_INL_H_
#undef SLUICED_ENGINE_LANE_SUMS_INL_H_
#else
#define SLUICED_ENGINE_LANE_SUMS_INL_H_
#endif

#include "server/engine/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// Vectors that SumLanes takes at a time: as many as a 16-byte block has numbers.
template <typename T>
constexpr size_t LaneGroup() {
  return HWY_MIN(16 / sizeof(T), kLanes<T>);
}

// Of every 16-byte block the sum over the blocks: block [LaneGroup<T>()].
template <typename T>
HWY_INLINE void SumBlocks(Vec<T> v, T* block) {
  constexpr size_t kGroup = LaneGroup<T>();
  const hn::CappedTag<T, kGroup> d;
  HWY_ALIGN T lanes[kLanes<T>];
  hn::Store(v, Tag<T>(), lanes);
  auto sum = hn::Load(d, lanes);
  for (size_t at = kGroup; at < kLanes<T>; at += kGroup) {
    sum = hn::Add(sum, hn::Load(d, lanes + at));
  }
  hn::StoreU(sum, d, block);
}

#if HWY_TARGET == HWY_SCALAR
template <typename T>
HWY_INLINE void SumLanes(const T* vectors, T* sums) {
  *sums = *vectors;
}
#else
// sums[k]: over the lanes of the vector at vectors[k * lanes].
HWY_INLINE void SumLanes(const float* vectors, float* sums) {
  const Tag<float> d;
  const hn::Repartition<uint64_t, Tag<float> > d2;
  constexpr size_t kL = kLanes<float>;
  const auto a = hn::Load(d, vectors), b = hn::Load(d, vectors + kL);
  const auto c = hn::Load(d, vectors + 2 * kL), e = hn::Load(d, vectors + 3 * kL);
  const auto ab = hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  const auto ce = hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e));
  const auto ab2 = hn::BitCast(d2, ab), ce2 = hn::BitCast(d2, ce);
  SumBlocks<float>(hn::Add(hn::BitCast(d, hn::InterleaveLower(d2, ab2, ce2)),
                           hn::BitCast(d, hn::InterleaveUpper(d2, ab2, ce2))),
                   sums);
}

HWY_INLINE void SumLanes(const double* vectors, double* sums) {
  const Tag<double> d;
  const auto a = hn::Load(d, vectors), b = hn::Load(d, vectors + kLanes<double>);
  SumBlocks<double>(hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b)), sums);
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
