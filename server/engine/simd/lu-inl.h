// u = L U x, a learnt linear map of all columns: triangles, of which L has ones and U
// exponentials on the diagonal.
#if defined(SLUICED_ENGINE_LU_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_LU_INL_H_
#undef SLUICED_ENGINE_LU_INL_H_
#else
#define SLUICED_ENGINE_LU_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <vector>

#include "server/engine/buffer.h"
#include "server/engine/program.h"
#include "server/engine/simd/frame-inl.h"
#include "server/engine/simd/linear-inl.h"
#include "server/engine/simd/outer-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// A triangle and its transposed, packed without the zeros, but for those on the diagonal's
// blocks.
template <typename T>
class Triangle {
 public:
  Triangle(size_t dim, bool lower) : dim_(dim) {
    for (size_t way = 0; way < 2; ++way) {
      const bool below = lower == (way == 0);
      size_t numbers = 0;
      for (size_t o = 0; o < dim;) {
        const size_t block = BlockAt(o, dim);
        const Inputs inputs = below ? Inputs{0, o + block} : Inputs{o, dim - o};
        blocks_[way].push_back(inputs);
        numbers += inputs.count * block;
        o += block;
      }
      packed_[way] = Buffer<T>(numbers);
    }
  }

  // matrix [dim, dim], row by row.
  void Pack(const T* matrix) {
    const auto row = [&](size_t o) { return matrix + o * dim_; };
    HWY_NAMESPACE::Pack<T>(dim_, dim_, blocks_[0].data(), row, packed_[0].data());
    PackTransposed<T>(dim_, dim_, blocks_[1].data(), row, packed_[1].data());
  }

  void Multiply(const Tile& tile, const T* in, T* out) const { Go(0, tile, in, out); }
  void MultiplyTransposed(const Tile& tile, const T* in, T* out) const { Go(1, tile, in, out); }

 private:
  void Go(size_t way, const Tile& tile, const T* in, T* out) const {
    const Linear<T> map = {packed_[way].data(), nullptr, dim_, dim_, blocks_[way].data()};
    Apply<Finish::kStore>(map, in, tile, out);
  }

  const size_t dim_;
  std::vector<Inputs> blocks_[2];
  Buffer<T> packed_[2];
};

template <typename T>
class Lu final : public Piece<T> {
 public:
  Lu(size_t weight, size_t dim, SumPlaces* places)
      : weight_(weight),
        dim_(dim),
        lower_(dim, true),
        lower_inverse_(dim, true),
        upper_(dim, false),
        upper_inverse_(dim, false),
        matrix_(dim * dim),
        exact_(dim * dim),
        exact_inverse_(dim * dim),
        diagonal_(dim),
        transposed_ld_(RoundUp(dim, kLanes<T>)) {
    // Of L, of U, and of the ladj.
    own_first_ = places->TakeOwn(2 * dim * dim + 1);
  }

  void Pack(const T* parameters, PackFor what) override {
    const T* packed = parameters + weight_;
    double ladj = 0;
    for (size_t i = 0; i < dim_; ++i) ladj += static_cast<double>(packed[i * dim_ + i]);
    ladj_ = static_cast<T>(ladj);
    for (size_t o = 0; o < dim_; ++o) {
      diagonal_[o] = std::exp(static_cast<double>(packed[o * dim_ + o]));
      for (size_t i = 0; i < dim_; ++i) {
        exact_[o * dim_ + i] = i < o ? static_cast<double>(packed[o * dim_ + i]) : i == o ? 1 : 0;
      }
    }
    PackPair(lower_, lower_inverse_, true, what);
    for (size_t o = 0; o < dim_; ++o) {
      for (size_t i = 0; i < dim_; ++i) {
        exact_[o * dim_ + i] = i > o    ? static_cast<double>(packed[o * dim_ + i])
                               : i == o ? diagonal_[o]
                                        : 0;
      }
    }
    PackPair(upper_, upper_inverse_, false, what);
  }

  void ToBase(const Frame<T>& frame, T* kept) const override {
    T* x = kept == nullptr ? frame.scratch : kept;
    T* y = x + Step(frame);
    std::copy_n(frame.state, Step(frame), x);
    upper_.Multiply(frame.tile, x, y);
    lower_.Multiply(frame.tile, y, frame.state);
    for (size_t r = 0; r < frame.tile.stride; ++r) frame.ladj[r] += ladj_;
  }
  void FromBase(const Frame<T>& frame, T* kept) const override {
    T* x = kept == nullptr ? frame.scratch : kept;
    T* y = x + Step(frame);
    lower_inverse_.Multiply(frame.tile, frame.state, y);
    upper_inverse_.Multiply(frame.tile, y, x);
    std::copy_n(x, Step(frame), frame.state);
    for (size_t r = 0; r < frame.tile.stride; ++r) frame.ladj[r] += ladj_;
  }

  void Backward(Way way, const Frame<T>& frame, const T* kept, const Loss<T>& loss,
                const Sums<T>* sums, T* gradient, bool) const override {
    const T *x = kept, *y = kept + Step(frame);
    T* by_y = frame.scratch;
    T* transposed = by_y + Step(frame);
    const size_t square = dim_ * dim_;
    T* own = sums == nullptr ? nullptr : sums->own + own_first_;
    if (way == Way::kFromBase) {
      // d(U^-1) = -U^-1 dU U^-1
      upper_inverse_.MultiplyTransposed(frame.tile, gradient, by_y);
      if (sums != nullptr) AddProduct(frame.tile, by_y, x, T{-1}, transposed, own + square);
      lower_inverse_.MultiplyTransposed(frame.tile, by_y, gradient);
      if (sums != nullptr) AddProduct(frame.tile, gradient, y, T{-1}, transposed, own);
    } else {
      if (sums != nullptr) AddProduct(frame.tile, gradient, y, T{1}, transposed, own);
      lower_.MultiplyTransposed(frame.tile, gradient, by_y);
      if (sums != nullptr) AddProduct(frame.tile, by_y, x, T{1}, transposed, own + square);
      upper_.MultiplyTransposed(frame.tile, by_y, gradient);
    }
    if (sums == nullptr) return;
    for (size_t r = 0; r < frame.tile.vectors * kLanes<T>; ++r) {
      own[2 * square] += loss.ladj_slope[r];
    }
  }

  void FinishSums(const Sums<T>& sums) const override {
    const T* lower = sums.own + own_first_;
    const T *upper = lower + dim_ * dim_, of_ladj = lower[2 * dim_ * dim_];
    for (size_t o = 0; o < dim_; ++o) {
      T* to = sums.flat + weight_ + o * dim_;
      std::copy_n(lower + o * dim_, o, to);
      std::copy_n(upper + o * dim_ + o, dim_ - o, to + o);
      to[o] = to[o] * static_cast<T>(diagonal_[o]) + of_ladj;
    }
  }

  // What stands before U, and before L.
  size_t KeptFeatures() const override { return 2 * dim_; }
  size_t ScratchNumbers(size_t stride) const override {
    return (3 * dim_ + transposed_ld_) * stride;
  }

 private:
  size_t Step(const Frame<T>& frame) const { return dim_ * frame.tile.stride; }

  // Of the triangle exact_.
  void PackPair(Triangle<T>& triangle, Triangle<T>& inverse, bool lower, PackFor what) {
    const auto pack = [&](const std::vector<double>& from, Triangle<T>& to) {
      std::ranges::transform(from, matrix_.begin(), [](double v) { return static_cast<T>(v); });
      to.Pack(matrix_.data());
    };
    pack(exact_, triangle);
    if (what == PackFor::kDensities) return;
    Invert(lower);
    pack(exact_inverse_, inverse);
  }

  // By substitution, row by row.
  void Invert(bool lower) {
    std::ranges::fill(exact_inverse_, 0.0);
    for (size_t step = 0; step < dim_; ++step) {
      const size_t o = lower ? step : dim_ - 1 - step;
      double* row = exact_inverse_.data() + o * dim_;
      row[o] = 1;
      const size_t first = lower ? 0 : o + 1, end = lower ? o : dim_;
      for (size_t i = first; i < end; ++i) {
        const double factor = exact_[o * dim_ + i];
        const double* other = exact_inverse_.data() + i * dim_;
        const size_t from = lower ? 0 : i, to = lower ? i + 1 : dim_;
        for (size_t k = from; k < to; ++k) row[k] -= factor * other[k];
      }
      const double scale = 1 / exact_[o * dim_ + o];
      for (size_t k = 0; k < dim_; ++k) row[k] *= scale;
    }
  }

  // to [dim, dim] += sign * the sum over rows of a times b.
  void AddProduct(const Tile& tile, const T* a, const T* b, T sign, T* scratch, T* to) const {
    T* transposed = scratch + dim_ * tile.stride;
    const T* left = a;
    if (sign < 0) {
      std::transform(a, a + dim_ * tile.stride, scratch, [](T v) { return -v; });
      left = scratch;
    }
    Transpose(b, dim_, tile, transposed, transposed_ld_);
    AddOuter(left, dim_, transposed, dim_, transposed_ld_, tile, to, dim_);
  }

  const size_t weight_, dim_;
  Triangle<T> lower_, lower_inverse_, upper_, upper_inverse_;
  // While packing: a matrix and, in float64, a triangle and its inverse.
  std::vector<T> matrix_;
  std::vector<double> exact_, exact_inverse_;
  std::vector<double> diagonal_;  // Of U.
  const size_t transposed_ld_;
  size_t own_first_;
  T ladj_ = 0;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
