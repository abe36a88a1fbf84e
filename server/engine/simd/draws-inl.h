// Draws of the base, made of standard normal numbers, row by row: as flows/base.cc makes
// them, and their gradient.
#if defined(SLUICED_ENGINE_DRAWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICED_ENGINE_DRAWS_INL_H_
#undef SLUICED_ENGINE_DRAWS_INL_H_
#else
#define SLUICED_ENGINE_DRAWS_INL_H_
#endif

#include <cmath>
#include <numbers>

#include "server/engine/simd/base-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

// Phi
template <typename U>
U UniformOf(U normal) {
  return std::erfc(normal * static_cast<U>(-std::numbers::sqrt2 / 2)) / 2;
}

template <typename T>
T OnBox(T normal, T bound) {
  return (UniformOf(normal) * 2 - 1) * bound;
}

// Bailey 1994, Math. Comp. 62, 779-781.
template <typename T>
T StudentOf(T first, T second, double freedom) {
  const double u = UniformOf(static_cast<double>(first)),
               v = UniformOf(static_cast<double>(second));
  const double radius = std::sqrt(std::expm1(std::log(u) * (-2 / freedom)) * freedom);
  return static_cast<T>(radius * std::cos(v * (2 * std::numbers::pi)));
}

template <typename T>
size_t ChooseComponent(const BaseDensity<T>& base, T normal) {
  const T u = UniformOf(normal);
  T edge = 0;
  size_t chosen = 0;
  for (size_t k = 0; k + 1 < base.components(); ++k) {
    edge += static_cast<T>(std::exp(base.LogWeight(k)));
    if (edge <= u) ++chosen;
  }
  return chosen;
}

// One row: normals [NormalColumns(spec)], z [dim], z's columns `stride` apart. Returns the
// component that it is of.
template <typename T>
size_t DrawRow(const BaseDensity<T>& base, size_t dim, const T* normals, T* z, size_t stride) {
  size_t component = 0;
  if (base.base() == flows::Base::kMixture) component = ChooseComponent(base, normals[dim]);
  for (size_t f : base.circles()) z[f * stride] = OnBox(normals[f], base.bound());
  for (size_t f : base.others()) {
    T& to = z[f * stride];
    to = normals[f];
    if (base.base() == flows::Base::kUniform) to = OnBox(to, base.bound());
    if (base.base() == flows::Base::kStudentT) {
      to = StudentOf(to, normals[dim + f], base.freedom());
    }
    if (base.components() > 0) {
      to = base.LocOf(component, f) + to * base.ScaleOf(component, f);
    }
  }
  return component;
}

// The gradient in z of rows of these components to that of the base's parameters.
template <typename T>
void PullDraws(const BaseDensity<T>& base, const Tile& tile, const T* z, const T* components,
               const T* gradient, const Sums<T>& sums) {
  for (size_t f : base.others()) {
    for (size_t r = 0; r < tile.vectors * kLanes<T>; ++r) {
      const auto component = static_cast<size_t>(components[r]);
      const T by_z = gradient[f * tile.stride + r];
      base.AddOfDraw(sums, component, f, r % kLanes<T>, by_z,
                     by_z * (z[f * tile.stride + r] - base.LocOf(component, f)));
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#endif
