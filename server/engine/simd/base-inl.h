// The distribution of z: its density and the way back of its gradient. flows/base.cc has
// the same.
#if defined(SLUICED_ENGINE_BASE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_BASE_INL_H_
#undef SLUICED_ENGINE_BASE_INL_H_
#else
#define SLUICED_ENGINE_BASE_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "server/engine/layout.h"
#include "server/engine/simd/frame-inl.h"
#include "server/engine/simd/math-inl.h"
#include "server/engine/simd/rows-inl.h"
#include "server/flows/flow_spec.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// Columns that are no circles, of independent normals, of which a component has one mean
// and scale each; circles are uniform.
template <typename T>
class BaseDensity {
 public:
  BaseDensity(const flows::FlowSpec& spec, const BasePlace& place, SumPlaces* places)
      : base_(spec.base),
        dim_(static_cast<size_t>(spec.dim)),
        components_(place.loc ? place.components : 0),
        freedom_(spec.degrees_of_freedom),
        bound_(spec.bound),
        place_(place),
        first_lane_(places->lane_parameters.size()),
        loc_(components_ * dim_),
        inverse_(components_ * dim_),
        scale_(components_ * dim_),
        log_weight_(components_),
        log_normalizer_(components_) {
    for (const flows::Column& column : flows::ColumnsOf(spec)) {
      const bool is_circle = column.support == flows::Support::kPeriodic;
      (is_circle ? circles_ : others_).push_back(static_cast<size_t>(column.index));
    }
    std::vector<size_t>& lanes = places->lane_parameters;
    for (size_t k = 0; place.logits && k < components_; ++k) lanes.push_back(*place.logits + k);
    for (size_t i = 0; i < components_ * dim_; ++i) lanes.push_back(*place.loc + i);
    for (size_t i = 0; i < components_ * dim_; ++i) lanes.push_back(*place.log_scale + i);
  }

  bool HasParameters() const { return components_ > 0; }
  size_t ScratchNumbers(size_t stride) const { return components_ * stride; }

  void Pack(const T* parameters) {
    for (size_t k = 0; k < components_; ++k) {
      double log_scales = 0;
      for (size_t f : others_) {
        const size_t i = k * dim_ + f;
        const auto log_scale = static_cast<double>(parameters[*place_.log_scale + i]);
        loc_[i] = parameters[*place_.loc + i];
        inverse_[i] = static_cast<T>(std::exp(-log_scale));
        scale_[i] = static_cast<T>(std::exp(log_scale));
        log_scales += log_scale;
      }
      log_normalizer_[k] = -log_scales;
    }
    if (components_ == 0) return;
    double sum = 0, largest = -std::numeric_limits<double>::infinity();
    const auto logit = [&](size_t k) {
      return place_.logits ? static_cast<double>(parameters[*place_.logits + k]) : 0;
    };
    for (size_t k = 0; k < components_; ++k) largest = std::max(largest, logit(k));
    for (size_t k = 0; k < components_; ++k) sum += std::exp(logit(k) - largest);
    for (size_t k = 0; k < components_; ++k) {
      log_weight_[k] = logit(k) - largest - std::log(sum);
    }
  }

  // Of z [dim] into out [stride].
  void LogDensity(const Tile& tile, const T* z, T* out, T* scratch) const {
    if (base_ == flows::Base::kNormal && circles_.empty()) {
      return BaseLogDensity(z, dim_, tile, out);
    }
    for (size_t v = 0; v < tile.vectors; ++v) {
      const Tag<T> d;
      const size_t row = v * kLanes<T>;
      const Vec<T> others = LogDensityOfOthers(tile, z + row, scratch + row);
      hn::Store(hn::Add(others, Box(tile, z + row, circles_)), d, out + row);
    }
  }

  // gradient [dim] = slope[r] times that of the log density, of a loss that has this slope
  // in it; adds the parameters' to sums, unless null.
  void Pull(const Tile& tile, const T* z, const T* slope, const Sums<T>* sums, T* gradient,
            T* scratch) const {
    const Tag<T> d;
    for (size_t v = 0; v < tile.vectors; ++v) {
      const size_t row = v * kLanes<T>;
      const Vec<T> w = hn::Load(d, slope + row);
      for (size_t f = 0; f < dim_; ++f) hn::Store(hn::Zero(d), d, gradient + f * tile.stride + row);
      if (components_ > 0) {
        const Vec<T> whole = LogDensityOfOthers(tile, z + row, scratch + row);
        PullComponents(tile, z + row, w, whole, sums, gradient + row, scratch + row);
        continue;
      }
      for (size_t f : others_) {
        const size_t at = f * tile.stride + row;
        hn::Store(hn::Mul(w, SlopeOf(hn::Load(d, z + at))), d, gradient + at);
      }
    }
  }

  const std::vector<size_t>& circles() const { return circles_; }
  const std::vector<size_t>& others() const { return others_; }
  size_t components() const { return components_; }
  flows::Base base() const { return base_; }
  double freedom() const { return freedom_; }
  T bound() const { return static_cast<T>(bound_); }
  T LocOf(size_t component, size_t column) const { return loc_[component * dim_ + column]; }
  T ScaleOf(size_t component, size_t column) const { return scale_[component * dim_ + column]; }
  double LogWeight(size_t component) const { return log_weight_[component]; }

  // Adds to the sums of a component's mean and log-scale in a column, `lane` of them.
  void AddOfDraw(const Sums<T>& sums, size_t component, size_t column, size_t lane, T by_loc,
                 T by_log_scale) const {
    sums.lanes[LocLane(component, column) + lane] += by_loc;
    sums.lanes[ScaleLane(component, column) + lane] += by_log_scale;
  }

 private:
  size_t LocLane(size_t component, size_t column) const {
    const size_t logits = place_.logits ? components_ : 0;
    return (first_lane_ + logits + component * dim_ + column) * kLanes<T>;
  }
  size_t ScaleLane(size_t component, size_t column) const {
    return LocLane(component, column) + components_ * dim_ * kLanes<T>;
  }

  // -log(2 b) a column inside, -inf outside; NaN stays.
  Vec<T> Box(const Tile& tile, const T* z, const std::vector<size_t>& columns) const {
    const Tag<T> d;
    constexpr T kInfinity = std::numeric_limits<T>::infinity();
    const Vec<T> inside = hn::Set(d, static_cast<T>(-std::log(2 * bound_)));
    Vec<T> sum = hn::Zero(d);
    for (size_t f : columns) {
      const auto outside =
          hn::Gt(hn::Abs(hn::Load(d, z + f * tile.stride)), hn::Set(d, static_cast<T>(bound_)));
      sum = hn::Add(sum, hn::IfThenElse(outside, hn::Set(d, -kInfinity), inside));
    }
    return sum;
  }

  Vec<T> LogDensityOfOthers(const Tile& tile, const T* z, T* scratch) const {
    const Tag<T> d;
    if (base_ == flows::Base::kUniform) return Box(tile, z, others_);
    if (components_ > 0) return LogDensityOfComponents(tile, z, scratch);
    const auto count = static_cast<double>(others_.size());
    Vec<T> sum = hn::Zero(d);
    if (base_ == flows::Base::kStudentT) {
      const double normalizer = std::lgamma((freedom_ + 1) / 2) - std::lgamma(freedom_ / 2) -
                                0.5 * std::log(freedom_ * std::numbers::pi);
      const Vec<T> freedom = hn::Set(d, static_cast<T>(freedom_));
      for (size_t f : others_) {
        const Vec<T> at = hn::Load(d, z + f * tile.stride);
        sum = hn::Add(sum, Log1pOfPositive<T>(hn::Div(hn::Mul(at, at), freedom)));
      }
      return hn::MulAdd(sum, hn::Set(d, static_cast<T>(-(freedom_ + 1) / 2)),
                        hn::Set(d, static_cast<T>(count * normalizer)));
    }
    for (size_t f : others_) {
      const Vec<T> at = hn::Load(d, z + f * tile.stride);
      sum = hn::MulAdd(at, at, sum);
    }
    return hn::NegMulAdd(sum, hn::Set(d, static_cast<T>(0.5)),
                         hn::Set(d, static_cast<T>(-count * kLogRootTwoPi)));
  }

  // The components' own, weighed, stay in scratch [components].
  Vec<T> LogDensityOfComponents(const Tile& tile, const T* z, T* scratch) const {
    const Tag<T> d;
    const double constant = -static_cast<double>(others_.size()) * kLogRootTwoPi;
    Vec<T> largest = hn::Set(d, -std::numeric_limits<T>::infinity());
    for (size_t k = 0; k < components_; ++k) {
      Vec<T> squares = hn::Zero(d);
      for (size_t f : others_) {
        const Vec<T> u = Standard(k, f, hn::Load(d, z + f * tile.stride));
        squares = hn::MulAdd(u, u, squares);
      }
      const double rest = constant + log_normalizer_[k] + log_weight_[k];
      const Vec<T> one =
          hn::NegMulAdd(squares, hn::Set(d, static_cast<T>(0.5)), hn::Set(d, static_cast<T>(rest)));
      hn::Store(one, d, scratch + k * tile.stride);
      largest = hn::Max(largest, one);
    }
    if (components_ == 1) return hn::Load(d, scratch);
    Vec<T> sum = hn::Zero(d);
    for (size_t k = 0; k < components_; ++k) {
      sum = hn::Add(sum, Exp<T>(hn::Sub(hn::Load(d, scratch + k * tile.stride), largest)));
    }
    return hn::Add(Log<T>(sum), largest);
  }

  Vec<T> Standard(size_t component, size_t column, Vec<T> z) const {
    const Tag<T> d;
    const size_t i = component * dim_ + column;
    return hn::Mul(hn::Sub(z, hn::Set(d, loc_[i])), hn::Set(d, inverse_[i]));
  }

  // d log density / dz of one column without components.
  Vec<T> SlopeOf(Vec<T> z) const {
    const Tag<T> d;
    if (base_ == flows::Base::kUniform) return hn::Zero(d);
    if (base_ == flows::Base::kNormal) return hn::Neg(z);
    const Vec<T> below = hn::MulAdd(z, z, hn::Set(d, static_cast<T>(freedom_)));
    return hn::Div(hn::Mul(z, hn::Set(d, static_cast<T>(-(freedom_ + 1)))), below);
  }

  void PullComponents(const Tile& tile, const T* z, Vec<T> w, Vec<T> whole, const Sums<T>* sums,
                      T* gradient, const T* own) const {
    const Tag<T> d;
    for (size_t k = 0; k < components_; ++k) {
      // How much of the density here is this component's.
      const Vec<T> part = hn::Mul(w, Exp<T>(hn::Sub(hn::Load(d, own + k * tile.stride), whole)));
      if (sums != nullptr && place_.logits) {
        const Vec<T> weight = hn::Set(d, static_cast<T>(std::exp(log_weight_[k])));
        Add(*sums, (first_lane_ + k) * kLanes<T>, hn::NegMulAdd(w, weight, part));
      }
      for (size_t f : others_) {
        const Vec<T> u = Standard(k, f, hn::Load(d, z + f * tile.stride));
        const Vec<T> by_loc = hn::Mul(hn::Mul(part, u), hn::Set(d, inverse_[k * dim_ + f]));
        T* to = gradient + f * tile.stride;
        hn::Store(hn::Sub(hn::Load(d, to), by_loc), d, to);
        if (sums == nullptr) continue;
        Add(*sums, LocLane(k, f), by_loc);
        Add(*sums, ScaleLane(k, f), hn::Mul(part, hn::MulSub(u, u, hn::Set(d, T{1}))));
      }
    }
  }

  static void Add(const Sums<T>& sums, size_t lane, Vec<T> more) {
    const Tag<T> d;
    hn::Store(hn::Add(hn::Load(d, sums.lanes + lane), more), d, sums.lanes + lane);
  }

  static inline const double kLogRootTwoPi = 0.5 * std::log(2 * std::numbers::pi);

  const flows::Base base_;
  const size_t dim_, components_;  // 0: no parameters.
  const double freedom_, bound_;
  const BasePlace place_;
  const size_t first_lane_;
  std::vector<size_t> circles_, others_;
  std::vector<T> loc_, inverse_, scale_;  // [components, dim]
  std::vector<double> log_weight_, log_normalizer_;
};

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
