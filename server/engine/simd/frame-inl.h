// What a flow is made of on a tile: pieces, one after the other, and what they compute
// in.
#if defined(SLUICED_ENGINE_FRAME_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_FRAME_INL_H_
#undef SLUICED_ENGINE_FRAME_INL_H_
#else
#define SLUICED_ENGINE_FRAME_INL_H_
#endif

#include <vector>

#include "server/engine/program.h"
#include "server/engine/simd/lane_sums-inl.h"
#include "server/engine/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// What a tile needs at any time; [features, stride] each.
template <typename T>
struct Frame {
  Tile tile;
  size_t rows;
  T* state;         // [dim + context]: the point, and what it is conditional on.
  T* ladj;          // [1]: log|det| so far, of the map to the base.
  T* base_density;  // [1]: log density of z.
  T* scratch;       // Piece::ScratchNumbers().
};

// Where the parameters' gradients are summed: `flat` [parameters]; `lanes`, a vector
// each for those that are summed lane by lane, and `own`, of the pieces' own order,
// until the last tile.
template <typename T>
struct Sums {
  T* flat;
  T* lanes;
  T* own;
};

// Which sums are kept by lanes and how many numbers pieces keep of their own.
struct SumPlaces {
  // A sum by lanes that is no parameter's: a mask leaves it out.
  static constexpr size_t kNone = ~size_t{0};

  std::vector<size_t> lane_parameters;
  size_t own = 0;

  size_t TakeOwn(size_t numbers) {
    const size_t first = own;
    own += numbers;
    return first;
  }
};

// What was summed by lanes, to its place.
template <typename T>
void CollectLanes(const std::vector<size_t>& parameters, const Sums<T>& sums) {
  constexpr size_t kAtOnce = LaneGroup<T>();
  T group[kAtOnce];
  for (size_t first = 0; first < parameters.size(); first += kAtOnce) {
    SumLanes(sums.lanes + first * kLanes<T>, group);
    const size_t count = HWY_MIN(kAtOnce, parameters.size() - first);
    for (size_t k = 0; k < count; ++k) {
      if (parameters[first + k] != SumPlaces::kNone) sums.flat[parameters[first + k]] = group[k];
    }
  }
}

// Ways back, of the gradient.
enum class Way {
  kToBase,    // Through ToBase.
  kFromBase,  // Through FromBase.
  kInverse,   // Through ToBase, by what FromBase kept of the same points.
};

// The loss's slope in each row's ladj to the base, [stride].
template <typename T>
struct Loss {
  const T* ladj_slope;
};

// An invertible map of a tile's columns. Const methods may run on many threads at once.
template <typename T>
class Piece {
 public:
  virtual ~Piece() = default;

  virtual void Pack(const T* parameters, PackFor what) = 0;

  // In place on the frame's state and ladj. kept: [KeptNumbers(), stride], what the way
  // back needs; null: nothing is kept.
  virtual void ToBase(const Frame<T>& frame, T* kept) const = 0;
  virtual void FromBase(const Frame<T>& frame, T* kept) const = 0;

  // `gradient` [dim], of what came out, becomes that of what went in, which nobody asks
  // for unless `onwards`. Adds the parameters' to sums, unless null.
  virtual void Backward(Way way, const Frame<T>& frame, const T* kept, const Loss<T>& loss,
                        const Sums<T>* sums, T* gradient, bool onwards) const = 0;
  // After the last tile; before the lanes are collected.
  virtual void FinishSums(const Sums<T>&) const {}

  virtual size_t KeptFeatures() const = 0;
  // Numbers of scratch, of tiles of so many rows.
  virtual size_t ScratchNumbers(size_t stride) const = 0;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
