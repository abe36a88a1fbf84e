// Compiled once for every SIMD target: see hwy/foreach_target.h.
#include "server/engine/adam.h"

#include <cmath>
#include <cstddef>

#include "server/common/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "server/engine/adam.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef SLUICED_ENGINE_ADAM_TYPES_
#define SLUICED_ENGINE_ADAM_TYPES_
namespace sluiced::engine {

// An update's constants, the bias corrections folded in: of the step
//   rate m / c1 / (sqrt(v / c2) + epsilon), m and v the moments, the fraction is
// widened by sqrt(c2), so that one division is left.
template <typename T>
struct AdamConstants {
  explicit AdamConstants(const AdamStep& step) {
    const auto count = static_cast<double>(step.updates);
    const double correction1 = 1 - std::pow(step.beta1, count);
    const double root2 = std::sqrt(1 - std::pow(step.beta2, count));
    keep = static_cast<T>(step.decoupled ? 1 - step.learning_rate * step.weight_decay : 1);
    pull = static_cast<T>(step.decoupled ? 0 : step.weight_decay);
    scale = static_cast<T>(step.gradient_scale);
    beta1 = static_cast<T>(step.beta1);
    beta2 = static_cast<T>(step.beta2);
    rest1 = static_cast<T>(1 - step.beta1);
    rest2 = static_cast<T>(1 - step.beta2);
    epsilon = static_cast<T>(step.epsilon * root2);
    rate = static_cast<T>(step.learning_rate / correction1 * root2);
  }
  T keep, pull, scale, beta1, beta2, rest1, rest2, epsilon, rate;
};

template <typename T>
struct AdamBuffers {
  const T *gradient, *parameters, *first, *second;
  T *new_parameters, *new_first, *new_second;
  size_t size;
};

}  // namespace sluiced::engine
#endif

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Numbers [i, i + lanes of d).
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE void UpdateAt(D d, const AdamConstants<T>& c, const AdamBuffers<T>& at, size_t i) {
  const auto weight = hn::LoadU(d, at.parameters + i);
  const auto g = hn::MulAdd(weight, hn::Set(d, c.pull),
                            hn::Mul(hn::LoadU(d, at.gradient + i), hn::Set(d, c.scale)));
  const auto first =
      hn::MulAdd(g, hn::Set(d, c.rest1), hn::Mul(hn::LoadU(d, at.first + i), hn::Set(d, c.beta1)));
  const auto second = hn::MulAdd(hn::Mul(g, g), hn::Set(d, c.rest2),
                                 hn::Mul(hn::LoadU(d, at.second + i), hn::Set(d, c.beta2)));
  const auto root = hn::Add(hn::Sqrt(second), hn::Set(d, c.epsilon));
  const auto step = hn::Div(hn::Mul(first, hn::Set(d, c.rate)), root);
  hn::StoreU(first, d, at.new_first + i);
  hn::StoreU(second, d, at.new_second + i);
  hn::StoreU(hn::Sub(hn::Mul(weight, hn::Set(d, c.keep)), step), d, at.new_parameters + i);
}

template <typename T>
void UpdateAll(const AdamConstants<T>& constants, const AdamBuffers<T>& buffers) {
  const hn::ScalableTag<T> d;
  size_t i = 0;
  for (; i + hn::Lanes(d) <= buffers.size; i += hn::Lanes(d)) UpdateAt(d, constants, buffers, i);
  // The same operations on vectors of one: a number's bits do not depend on its place.
  const hn::CappedTag<T, 1> one;
  for (; i < buffers.size; ++i) UpdateAt(one, constants, buffers, i);
}

// Several sums side by side, so that they need not wait for each other. at(i): the
// vector of float64 that begins with number i.
template <typename T, typename At>
HWY_INLINE double SumSquares(const T* numbers, size_t size, const At& at) {
  const hn::ScalableTag<double> d;
  const size_t lanes = hn::Lanes(d);
  auto a = hn::Zero(d), b = a, c = a, e = a;
  size_t i = 0;
  for (; i + 4 * lanes <= size; i += 4 * lanes) {
    const auto x = at(i), y = at(i + lanes), z = at(i + 2 * lanes), w = at(i + 3 * lanes);
    a = hn::MulAdd(x, x, a);
    b = hn::MulAdd(y, y, b);
    c = hn::MulAdd(z, z, c);
    e = hn::MulAdd(w, w, e);
  }
  double sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
  for (; i < size; ++i) sum += static_cast<double>(numbers[i]) * static_cast<double>(numbers[i]);
  return sum;
}

double SquaresOfFloats(const float* numbers, size_t size) {
  const hn::ScalableTag<double> d;
  return SumSquares(numbers, size, [=](size_t i) HWY_ATTR {
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, decltype(d)>(), numbers + i));
  });
}
double SquaresOfDoubles(const double* numbers, size_t size) {
  const hn::ScalableTag<double> d;
  return SumSquares(numbers, size, [=](size_t i) HWY_ATTR { return hn::LoadU(d, numbers + i); });
}

void UpdateFloats(const AdamConstants<float>& constants, const AdamBuffers<float>& buffers) {
  UpdateAll(constants, buffers);
}
void UpdateDoubles(const AdamConstants<double>& constants, const AdamBuffers<double>& buffers) {
  UpdateAll(constants, buffers);
}

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluiced::engine {
namespace {

HWY_EXPORT(UpdateFloats);
HWY_EXPORT(UpdateDoubles);
HWY_EXPORT(SquaresOfFloats);
HWY_EXPORT(SquaresOfDoubles);

void Dispatch(const AdamConstants<float>& constants, const AdamBuffers<float>& buffers) {
  HWY_DYNAMIC_DISPATCH(UpdateFloats)(constants, buffers);
}
void Dispatch(const AdamConstants<double>& constants, const AdamBuffers<double>& buffers) {
  HWY_DYNAMIC_DISPATCH(UpdateDoubles)(constants, buffers);
}

double Squares(std::span<const float> numbers) {
  return HWY_DYNAMIC_DISPATCH(SquaresOfFloats)(numbers.data(), numbers.size());
}
double Squares(std::span<const double> numbers) {
  return HWY_DYNAMIC_DISPATCH(SquaresOfDoubles)(numbers.data(), numbers.size());
}

}  // namespace

template <typename T>
void Update(const AdamStep& step, std::span<const T> gradient, const AdamState<const T>& before,
            const AdamState<T>& after) {
  const size_t size = gradient.size();
  SLUICED_CHECK(before.parameters.size() == size && after.parameters.size() == size);
  SLUICED_CHECK(before.first_moment.size() == size && after.first_moment.size() == size);
  SLUICED_CHECK(before.second_moment.size() == size && after.second_moment.size() == size);
  Dispatch(AdamConstants<T>(step),
           {gradient.data(), before.parameters.data(), before.first_moment.data(),
            before.second_moment.data(), after.parameters.data(), after.first_moment.data(),
            after.second_moment.data(), size});
}

template <typename T>
double Norm(std::span<const T> gradient) {
  return std::sqrt(Squares(gradient));
}

double ClipScale(double norm, double clip_norm) {
  return clip_norm > 0 && norm > clip_norm ? clip_norm / norm : 1;
}

template void Update(const AdamStep&, std::span<const float>, const AdamState<const float>&,
                     const AdamState<float>&);
template void Update(const AdamStep&, std::span<const double>, const AdamState<const double>&,
                     const AdamState<double>&);
template double Norm(std::span<const float>);
template double Norm(std::span<const double>);

}  // namespace sluiced::engine
#endif
