#include "server/training/optimizer.h"

#include <cmath>
#include <span>
#include <utility>

namespace sluiced::training {
namespace {

// What is the same for every number of an update.
template <typename T>
struct Coefficients {
  T beta1, beta2, epsilon;
  T decay;    // Of the parameters themselves (AdamW).
  T penalty;  // Added to the gradient, times the parameters (Adam).
  T step;     // Learning rate over the first moment's correction.
  T root;     // Of the second moment's correction, inverted.
  T factor;   // Of the gradient.
};

template <typename T>
Coefficients<T> CoefficientsOf(const TrainConfig& config, double learning_rate, double factor,
                               int64_t updates) {
  const auto count = static_cast<double>(updates);
  const bool decoupled = config.optimizer == Optimizer::kAdamW;
  Coefficients<T> c;
  c.beta1 = static_cast<T>(config.beta1);
  c.beta2 = static_cast<T>(config.beta2);
  c.epsilon = static_cast<T>(config.epsilon);
  c.decay = static_cast<T>(decoupled ? 1 - learning_rate * config.weight_decay : 1);
  c.penalty = static_cast<T>(decoupled ? 0 : config.weight_decay);
  c.step = static_cast<T>(learning_rate / (1 - std::pow(config.beta1, count)));
  c.root = static_cast<T>(1 / std::sqrt(1 - std::pow(config.beta2, count)));
  c.factor = static_cast<T>(factor);
  return c;
}

template <typename T>
void Step(const Coefficients<T>& c, std::span<const T> gradient, const Weights& before,
          Array* parameters, Array* first, Array* second) {
  const T* p = before.parameters->as<T>().data();
  const T* m = before.first_moment->as<T>().data();
  const T* v = before.second_moment->as<T>().data();
  T* new_p = parameters->as<T>().data();
  T* new_m = first->as<T>().data();
  T* new_v = second->as<T>().data();
  for (size_t i = 0; i < gradient.size(); ++i) {
    const T g = gradient[i] * c.factor + c.penalty * p[i];
    new_m[i] = c.beta1 * m[i] + (1 - c.beta1) * g;
    new_v[i] = c.beta2 * v[i] + (1 - c.beta2) * g * g;
    new_p[i] = c.decay * p[i] - c.step * new_m[i] / (std::sqrt(new_v[i]) * c.root + c.epsilon);
  }
}

template <typename T>
double SumOfSquares(std::span<const T> values) {
  double sum = 0;
  for (T value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return sum;
}

}  // namespace

Weights Weights::Fresh(std::shared_ptr<const Array> parameters) {
  const auto zero = std::make_shared<const Array>(parameters->dtype(), parameters->shape());
  return {std::move(parameters), zero, zero, 0};
}

double Norm(const Array& gradient) {
  return std::sqrt(gradient.dtype() == DType::kFloat32 ? SumOfSquares(gradient.as<float>())
                                                       : SumOfSquares(gradient.as<double>()));
}

Weights Update(const TrainConfig& config, double learning_rate, const Array& gradient,
               double factor, const Weights& weights) {
  const int64_t updates = weights.updates + 1;
  const auto fresh = [&] { return std::make_shared<Array>(gradient.dtype(), gradient.shape()); };
  const auto parameters = fresh(), first = fresh(), second = fresh();
  if (gradient.dtype() == DType::kFloat32) {
    Step(CoefficientsOf<float>(config, learning_rate, factor, updates), gradient.as<float>(),
         weights, parameters.get(), first.get(), second.get());
  } else {
    Step(CoefficientsOf<double>(config, learning_rate, factor, updates), gradient.as<double>(),
         weights, parameters.get(), first.get(), second.get());
  }
  return {parameters, first, second, updates};
}

}  // namespace sluiced::training
