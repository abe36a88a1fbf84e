#include "server/training/optimizer.h"

#include <span>
#include <utility>

#include "server/engine/adam.h"

namespace sluiced::training {
namespace {

template <typename T>
engine::AdamState<const T> StateOf(const Weights& weights) {
  return {weights.parameters->as<T>(), weights.first_moment->as<T>(),
          weights.second_moment->as<T>()};
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

Weights Updater::Update(double learning_rate, const Array& gradient, double norm,
                        const Weights& weights) {
  const engine::AdamStep step = {
      .learning_rate = learning_rate,
      .beta1 = config_.beta1,
      .beta2 = config_.beta2,
      .epsilon = config_.epsilon,
      .weight_decay = config_.weight_decay,
      .decoupled = config_.optimizer == Optimizer::kAdamW,
      .updates = weights.updates + 1,
      .gradient_scale = engine::ClipScale(norm, config_.clip_norm),
  };
  const auto parameters = Take(gradient), first = Take(gradient), second = Take(gradient);
  const auto update = [&]<typename T>(std::span<const T> along) {
    engine::Update<T>(step, along, StateOf<T>(weights),
                      {parameters->as<T>(), first->as<T>(), second->as<T>()});
  };
  if (gradient.dtype() == DType::kFloat32) {
    update(gradient.as<float>());
  } else {
    update(gradient.as<double>());
  }
  return {parameters, first, second, step.updates};
}

std::shared_ptr<Array> Updater::Take(const Array& like) {
  for (const auto& array : arrays_) {
    if (array.use_count() == 1) return array;
  }
  return arrays_.emplace_back(std::make_shared<Array>(like.dtype(), like.shape()));
}

}  // namespace sluiced::training
