#include "server/engine/adam.h"

#include <cmath>

#include "server/common/check.h"

namespace sluiced::engine {

template <typename T>
void Update(const AdamStep& step, std::span<const T> gradient, std::span<T> parameters,
            std::span<T> first_moment, std::span<T> second_moment) {
  const size_t size = parameters.size();
  SLUICED_CHECK(gradient.size() == size && first_moment.size() == size &&
                second_moment.size() == size);
  const auto count = static_cast<double>(step.updates);
  const double correction1 = 1 - std::pow(step.beta1, count);
  const double correction2 = 1 - std::pow(step.beta2, count);
  const double decay = step.learning_rate * step.weight_decay;
  const T keep = static_cast<T>(step.decoupled ? 1 - decay : 1);
  const T pull = static_cast<T>(step.decoupled ? 0 : step.weight_decay);
  const T scale = static_cast<T>(step.gradient_scale);
  const T beta1 = static_cast<T>(step.beta1), rest1 = static_cast<T>(1 - step.beta1);
  const T beta2 = static_cast<T>(step.beta2), rest2 = static_cast<T>(1 - step.beta2);
  const T root2 = static_cast<T>(std::sqrt(correction2));
  const T epsilon = static_cast<T>(step.epsilon);
  const T rate = static_cast<T>(step.learning_rate / correction1);
  const T* __restrict from = gradient.data();
  T* __restrict weights = parameters.data();
  T* __restrict first = first_moment.data();
  T* __restrict second = second_moment.data();
  for (size_t i = 0; i < size; ++i) {
    const T g = from[i] * scale + weights[i] * pull;
    first[i] = first[i] * beta1 + g * rest1;
    second[i] = second[i] * beta2 + g * g * rest2;
    weights[i] = weights[i] * keep - rate * (first[i] / (std::sqrt(second[i]) / root2 + epsilon));
  }
}

template <typename T>
double Norm(std::span<const T> gradient) {
  // Side by side, so that they need not wait for each other.
  constexpr size_t kSums = 8;
  double sums[kSums] = {};
  size_t i = 0;
  for (; i + kSums <= gradient.size(); i += kSums) {
    for (size_t k = 0; k < kSums; ++k) {
      const auto one = static_cast<double>(gradient[i + k]);
      sums[k] += one * one;
    }
  }
  double sum = 0;
  for (; i < gradient.size(); ++i) {
    sum += static_cast<double>(gradient[i]) * static_cast<double>(gradient[i]);
  }
  for (double one : sums) sum += one;
  return std::sqrt(sum);
}

double ClipScale(double norm, double clip_norm) {
  return clip_norm > 0 && norm > clip_norm ? clip_norm / norm : 1;
}

template void Update(const AdamStep&, std::span<const float>, std::span<float>, std::span<float>,
                     std::span<float>);
template void Update(const AdamStep&, std::span<const double>, std::span<double>, std::span<double>,
                     std::span<double>);
template double Norm(std::span<const float>);
template double Norm(std::span<const double>);

}  // namespace sluiced::engine
