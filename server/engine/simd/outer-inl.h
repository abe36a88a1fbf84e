// Weight gradients: products of two tiles, summed over their rows.
#if defined(SLUICED_ENGINE_OUTER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_OUTER_INL_H_
#undef SLUICED_ENGINE_OUTER_INL_H_
#else
#define SLUICED_ENGINE_OUTER_INL_H_
#endif

#include "server/engine/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR
template <typename T>
HWY_INLINE void TransposeFeatures(const T* const (&from)[4], T* out, size_t) {
  for (size_t k = 0; k < 4; ++k) out[k] = *from[k];
}
#else
// The 16-byte blocks of v, `step` apart.
template <class D, class V, typename T>
HWY_INLINE void StoreBlocks(D d, V v, T* out, size_t step) {
  constexpr size_t kBlock = 16 / sizeof(T);
  if constexpr (hn::MaxLanes(d) == kBlock) {
    hn::StoreU(v, d, out);
  } else {
    const hn::Half<D> half;
    StoreBlocks(half, hn::LowerHalf(half, v), out, step);
    StoreBlocks(half, hn::UpperHalf(half, v), out + hn::MaxLanes(half) / kBlock * step, step);
  }
}

// Of four features at from[0..3]: their numbers of 16 / sizeof(float) rows a block.
HWY_INLINE void TransposeFeatures(const float* const (&from)[4], float* out, size_t ld) {
  const Tag<float> d;
  const hn::Repartition<uint64_t, Tag<float> > d2;
  const auto a = hn::Load(d, from[0]), b = hn::Load(d, from[1]);
  const auto c = hn::Load(d, from[2]), e = hn::Load(d, from[3]);
  const auto ab0 = hn::BitCast(d2, hn::InterleaveLower(d, a, b));
  const auto ab1 = hn::BitCast(d2, hn::InterleaveUpper(d, a, b));
  const auto ce0 = hn::BitCast(d2, hn::InterleaveLower(d, c, e));
  const auto ce1 = hn::BitCast(d2, hn::InterleaveUpper(d, c, e));
  StoreBlocks(d, hn::BitCast(d, hn::InterleaveLower(d2, ab0, ce0)), out, 4 * ld);
  StoreBlocks(d, hn::BitCast(d, hn::InterleaveUpper(d2, ab0, ce0)), out + ld, 4 * ld);
  StoreBlocks(d, hn::BitCast(d, hn::InterleaveLower(d2, ab1, ce1)), out + 2 * ld, 4 * ld);
  StoreBlocks(d, hn::BitCast(d, hn::InterleaveUpper(d2, ab1, ce1)), out + 3 * ld, 4 * ld);
}

HWY_INLINE void TransposeFeatures(const double* const (&from)[4], double* out, size_t ld) {
  const Tag<double> d;
  for (size_t pair = 0; pair < 2; ++pair) {
    const auto a = hn::Load(d, from[2 * pair]), b = hn::Load(d, from[2 * pair + 1]);
    StoreBlocks(d, hn::InterleaveLower(d, a, b), out + 2 * pair, 2 * ld);
    StoreBlocks(d, hn::InterleaveUpper(d, a, b), out + 2 * pair + ld, 2 * ld);
  }
}

#endif

// Row r of `in` to out + r * ld; ld is a multiple of the lanes, at least `features`.
template <typename T>
void Transpose(const T* in, size_t features, const Tile& tile, T* out, size_t ld) {
  constexpr size_t kL = kLanes<T>;
  for (size_t f = 0; f < features; f += 4) {
    for (size_t v = 0; v < tile.vectors; ++v) {
      const T* from[4];
      for (size_t k = 0; k < 4; ++k) {
        // Past the end the last feature once more: nobody reads it.
        from[k] = in + HWY_MIN(f + k, features - 1) * tile.stride + v * kL;
      }
      TransposeFeatures(from, out + v * kL * ld + f, ld);
    }
  }
}

// out[o * stride + i] += sum over rows r of a[o * a_stride + r] * b[r * ld + i], for
// kOut o's and kVectors vectors of i's, the last one of only `last` lanes.
template <typename T, size_t kOut, size_t kVectors>
HWY_NOINLINE void OuterBlock(const T* HWY_RESTRICT a, size_t a_stride, const T* HWY_RESTRICT b,
                             size_t ld, size_t rows, T* HWY_RESTRICT out, size_t stride,
                             size_t last) {
  const Tag<T> d;
  const size_t lanes = hn::Lanes(d);
  Vec<T> sum[kOut][kVectors];
  SLUICED_UNROLL for (size_t o = 0; o < kOut; ++o) {
    SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) sum[o][v] = hn::Zero(d);
  }
  for (size_t r = 0; r < rows; ++r) {
    Vec<T> y[kVectors];
    SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) y[v] = hn::Load(d, b + v * lanes);
    SLUICED_UNROLL for (size_t o = 0; o < kOut; ++o) {
      const Vec<T> x = hn::Set(d, a[o * a_stride + r]);
      SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) {
        sum[o][v] = hn::MulAdd(x, y[v], sum[o][v]);
      }
    }
    b += ld;
  }
  SLUICED_UNROLL for (size_t o = 0; o < kOut; ++o) {
    SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) {
      T* to = out + o * stride + v * lanes;
      if (v + 1 < kVectors || last == lanes) {
        hn::StoreU(hn::Add(hn::LoadU(d, to), sum[o][v]), d, to);
      } else {
        // Masked loads would want aligned addresses.
        HWY_ALIGN T lane[kLanes<T>];
        hn::Store(sum[o][v], d, lane);
        for (size_t k = 0; k < last; ++k) to[k] += lane[k];
      }
    }
  }
}

template <typename T, size_t kVectors>
void OuterColumns(const T* a, size_t outs, size_t a_stride, const T* b, size_t ld, size_t rows,
                  T* out, size_t stride, size_t last) {
  size_t o = 0;
  for (; o + kBlockOut <= outs; o += kBlockOut) {
    OuterBlock<T, kBlockOut, kVectors>(a + o * a_stride, a_stride, b, ld, rows, out + o * stride,
                                       stride, last);
  }
  if constexpr (kBlockOut == 8) {
    for (; o + 4 <= outs; o += 4) {
      OuterBlock<T, 4, kVectors>(a + o * a_stride, a_stride, b, ld, rows, out + o * stride, stride,
                                 last);
    }
  }
  for (; o < outs; ++o) {
    OuterBlock<T, 1, kVectors>(a + o * a_stride, a_stride, b, ld, rows, out + o * stride, stride,
                               last);
  }
}

// out [outs, ins], rows `stride` apart: plus the sum over the tile's rows of
// a [outs] times b, the latter transposed.
template <typename T>
void AddOuter(const T* a, size_t outs, const T* transposed, size_t ins, size_t ld, const Tile& tile,
              T* out, size_t stride) {
  constexpr size_t kL = kLanes<T>;
  const size_t rows = tile.vectors * kL;
  for (size_t i = 0; i < ins;) {
    const size_t left = (ins - i + kL - 1) / kL;
    const size_t vectors = left == 4 ? 2 : HWY_MIN(left, kBlockVectors);
    const size_t last = HWY_MIN(ins - i - (vectors - 1) * kL, kL);
    if (vectors == 3) {
      OuterColumns<T, 3>(a, outs, tile.stride, transposed + i, ld, rows, out + i, stride, last);
    } else if (vectors == 2) {
      OuterColumns<T, 2>(a, outs, tile.stride, transposed + i, ld, rows, out + i, stride, last);
    } else {
      OuterColumns<T, 1>(a, outs, tile.stride, transposed + i, ld, rows, out + i, stride, last);
    }
    i += vectors * kL;
  }
}

// For very few outs or ins, where lanes would stay empty: sums over rows are kept lane
// by lane, a vector for each of [outs, ins], and added up at the end. Here those of
// one feature, `few`, with each of `many` features, a vector every `step` vectors.
template <typename T, size_t kVectors>
HWY_NOINLINE void OuterByLanes(const T* HWY_RESTRICT few, const T* HWY_RESTRICT many, size_t count,
                               size_t stride, T* HWY_RESTRICT sums, size_t step) {
  const Tag<T> d;
  const size_t lanes = hn::Lanes(d);
  Vec<T> x[kVectors];
  SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) x[v] = hn::Load(d, few + v * lanes);
  for (size_t i = 0; i < count; ++i) {
    T* to = sums + i * step * lanes;
    Vec<T> sum = hn::Load(d, to);
    SLUICED_UNROLL for (size_t v = 0; v < kVectors; ++v) {
      sum = hn::MulAdd(x[v], hn::Load(d, many + i * stride + v * lanes), sum);
    }
    hn::Store(sum, d, to);
  }
}

template <typename T>
void OuterByLanes(const T* few, const T* many, size_t count, const Tile& tile, T* sums,
                  size_t step) {
  size_t v = 0;
  for (; v + 3 <= tile.vectors; v += 3) {
    OuterByLanes<T, 3>(few + v * kLanes<T>, many + v * kLanes<T>, count, tile.stride, sums, step);
  }
  for (; v < tile.vectors; ++v) {
    OuterByLanes<T, 1>(few + v * kLanes<T>, many + v * kLanes<T>, count, tile.stride, sums, step);
  }
}

template <typename T>
void AddOuterByLanes(const T* a, size_t outs, const T* b, size_t ins, const Tile& tile, T* sums) {
  constexpr size_t kL = kLanes<T>;
  if (outs < ins) {
    for (size_t o = 0; o < outs; ++o) {
      OuterByLanes(a + o * tile.stride, b, ins, tile, sums + o * ins * kL, 1);
    }
  } else {
    for (size_t i = 0; i < ins; ++i) {
      OuterByLanes(b + i * tile.stride, a, outs, tile, sums + i * kL, ins);
    }
  }
}

template <typename T>
void AddRowsByLanes(const T* a, size_t features, const Tile& tile, T* sums) {
  const Tag<T> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t f = 0; f < features; ++f) {
    Vec<T> sum = hn::Load(d, sums + f * lanes);
    for (size_t v = 0; v < tile.vectors; ++v) {
      sum = hn::Add(sum, hn::Load(d, a + f * tile.stride + v * lanes));
    }
    hn::Store(sum, d, sums + f * lanes);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
