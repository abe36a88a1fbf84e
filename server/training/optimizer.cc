#include "server/training/optimizer.h"

#include <span>
#include <utility>

#include "server/engine/adam.h"

namespace sluiced::training {
namespace {

template <typename T>
Weights UpdateAs(const engine::AdamStep& step, const Array& gradient, const Weights& before) {
  auto parameters = std::make_shared<Array>(*before.parameters);
  auto first = std::make_shared<Array>(*before.first_moment);
  auto second = std::make_shared<Array>(*before.second_moment);
  engine::Update<T>(step, gradient.as<T>(), parameters->as<T>(), first->as<T>(), second->as<T>());
  return {std::move(parameters), std::move(first), std::move(second), step.updates};
}

}  // namespace

Weights Weights::Fresh(std::shared_ptr<const Array> parameters) {
  const auto zero = std::make_shared<const Array>(parameters->dtype(), parameters->shape());
  return {std::move(parameters), zero, zero, 0};
}

double Norm(const Array& gradient) {
  return gradient.dtype() == DType::kFloat32 ? engine::Norm(gradient.as<float>())
                                             : engine::Norm(gradient.as<double>());
}

Weights Update(const TrainConfig& config, double learning_rate, const Array& gradient, double norm,
               const Weights& weights) {
  const engine::AdamStep step = {
      .learning_rate = learning_rate,
      .beta1 = config.beta1,
      .beta2 = config.beta2,
      .epsilon = config.epsilon,
      .weight_decay = config.weight_decay,
      .decoupled = config.optimizer == Optimizer::kAdamW,
      .updates = weights.updates + 1,
      .gradient_scale = engine::ClipScale(norm, config.clip_norm),
  };
  return gradient.dtype() == DType::kFloat32 ? UpdateAs<float>(step, gradient, weights)
                                             : UpdateAs<double>(step, gradient, weights);
}

}  // namespace sluiced::training
