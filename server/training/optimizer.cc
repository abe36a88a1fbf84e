#include "server/training/optimizer.h"

#include <cmath>
#include <utility>

namespace sluiced::training {

Moments Moments::ZerosLike(const torch::Tensor& parameters) {
  return {torch::zeros_like(parameters), torch::zeros_like(parameters), 0};
}

Weights Update(const TrainConfig& config, double learning_rate, torch::Tensor gradient,
               const Weights& weights) {
  torch::Tensor parameters = weights.parameters;
  if (config.weight_decay != 0) {
    if (config.optimizer == Optimizer::kAdamW) {
      parameters = parameters * (1 - learning_rate * config.weight_decay);
    } else {
      gradient.add_(parameters, config.weight_decay);
    }
  }
  Moments moments;
  moments.updates = weights.moments.updates + 1;
  const auto count = static_cast<double>(moments.updates);
  const double correction1 = 1 - std::pow(config.beta1, count);
  const double correction2 = 1 - std::pow(config.beta2, count);
  moments.first = (weights.moments.first * config.beta1).add_(gradient, 1 - config.beta1);
  moments.second =
      (weights.moments.second * config.beta2).addcmul_(gradient, gradient, 1 - config.beta2);
  const torch::Tensor deviation =
      moments.second.sqrt().div_(std::sqrt(correction2)).add_(config.epsilon);
  parameters = parameters.addcdiv(moments.first, deviation, -learning_rate / correction1);
  return {std::move(parameters), std::move(moments)};
}

}  // namespace sluiced::training
