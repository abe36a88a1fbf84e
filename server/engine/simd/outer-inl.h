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

// Rows and features of a block of 16 bytes.
template <typename T>
constexpr size_t kOfBlock = HWY_MIN(16 / sizeof(T), kLanes<T>);
// Features that are transposed together: those whose rows fill vectors.
template <typename T>
constexpr size_t kTransposed = kLanes<T>;

#if HWY_TARGET == HWY_SCALAR
template <typename T>
HWY_INLINE void TransposeFeatures(const T* const (&from)[1], T* out, size_t) {
  *out = *from[0];
}
#else
// Within blocks: vector r gets the rows r of each block, feature by feature.
HWY_INLINE void TransposeInBlocks(Vec<float> (&v)[4]) {
  const Tag<float> d;
  const hn::Repartition<uint64_t, Tag<float> > d2;
  const auto ab0 = hn::BitCast(d2, hn::InterleaveLower(d, v[0], v[1]));
  const auto ab1 = hn::BitCast(d2, hn::InterleaveUpper(d, v[0], v[1]));
  const auto ce0 = hn::BitCast(d2, hn::InterleaveLower(d, v[2], v[3]));
  const auto ce1 = hn::BitCast(d2, hn::InterleaveUpper(d, v[2], v[3]));
  v[0] = hn::BitCast(d, hn::InterleaveLower(d2, ab0, ce0));
  v[1] = hn::BitCast(d, hn::InterleaveUpper(d2, ab0, ce0));
  v[2] = hn::BitCast(d, hn::InterleaveLower(d2, ab1, ce1));
  v[3] = hn::BitCast(d, hn::InterleaveUpper(d2, ab1, ce1));
}
HWY_INLINE void TransposeInBlocks(Vec<double> (&v)[2]) {
  const Tag<double> d;
  const Vec<double> lower = hn::InterleaveLower(d, v[0], v[1]);
  v[1] = hn::InterleaveUpper(d, v[0], v[1]);
  v[0] = lower;
}

// Block b of vector g becomes block g of vector b.
template <typename T, size_t kBlocks>
HWY_INLINE void TransposeBlocks(Vec<T> (&v)[kBlocks]) {
  static_assert(kBlocks == 1 || kBlocks == 2 || kBlocks == 4);
  const Tag<T> d;
  if constexpr (kBlocks == 2) {
    const Vec<T> lower = hn::ConcatLowerLower(d, v[1], v[0]);
    v[1] = hn::ConcatUpperUpper(d, v[1], v[0]);
    v[0] = lower;
  } else if constexpr (kBlocks == 4) {
    const Vec<T> even[2] = {hn::ConcatLowerLower(d, v[2], v[0]),
                            hn::ConcatUpperUpper(d, v[2], v[0])};
    const Vec<T> odd[2] = {hn::ConcatLowerLower(d, v[3], v[1]),
                           hn::ConcatUpperUpper(d, v[3], v[1])};
    SLUICED_UNROLL for (size_t half = 0; half < 2; ++half) {
      v[2 * half] = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(odd[half]), even[half]);
      v[2 * half + 1] = hn::OddEvenBlocks(odd[half], hn::SwapAdjacentBlocks(even[half]));
    }
  }
}

// A vector of rows of the features at `from`: row r to out + r * ld.
template <typename T>
HWY_INLINE void TransposeFeatures(const T* const (&from)[kTransposed<T>], T* out, size_t ld) {
  const Tag<T> d;
  constexpr size_t kBlocks = kLanes<T> / kOfBlock<T>;
  Vec<T> of_row[kOfBlock<T>][kBlocks];  // By a row's place in its block, and by features.
  SLUICED_UNROLL for (size_t g = 0; g < kBlocks; ++g) {
    Vec<T> v[kOfBlock<T>];
    SLUICED_UNROLL for (size_t k = 0; k < kOfBlock<T>; ++k) {
      v[k] = hn::Load(d, from[g * kOfBlock<T> + k]);
    }
    TransposeInBlocks(v);
    SLUICED_UNROLL for (size_t k = 0; k < kOfBlock<T>; ++k) of_row[k][g] = v[k];
  }
  SLUICED_UNROLL for (size_t k = 0; k < kOfBlock<T>; ++k) {
    TransposeBlocks<T>(of_row[k]);
    SLUICED_UNROLL for (size_t b = 0; b < kBlocks; ++b) {
      hn::Store(of_row[k][b], d, out + (b * kOfBlock<T> + k) * ld);
    }
  }
}
#endif

// Row r of `in` to out + r * ld; ld is a multiple of the lanes, at least `features`.
template <typename T>
void Transpose(const T* in, size_t features, const Tile& tile, T* out, size_t ld) {
  constexpr size_t kL = kLanes<T>;
  for (size_t f = 0; f < features; f += kTransposed<T>) {
    const T* from[kTransposed<T>];
    for (size_t k = 0; k < kTransposed<T>; ++k) {
      // Past the end the last feature once more: nobody reads it.
      from[k] = in + HWY_MIN(f + k, features - 1) * tile.stride;
    }
    for (size_t v = 0; v < tile.vectors; ++v) {
      TransposeFeatures<T>(from, out + v * kL * ld + f, ld);
      SLUICED_UNROLL for (size_t k = 0; k < kTransposed<T>; ++k) from[k] += kL;
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
    const size_t vectors = StripAt(0, (ins - i + kL - 1) / kL);
    const size_t last = HWY_MIN(ins - i - (vectors - 1) * kL, kL);
    WithStrip(vectors, [&]<size_t kVectors>() HWY_ATTR {
      OuterColumns<T, kVectors>(a, outs, tile.stride, transposed + i, ld, rows, out + i, stride,
                                last);
    });
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
