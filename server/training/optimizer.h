// Adam and AdamW over one flat tensor, with torch.optim's arithmetic. Private to
// the training: includes LibTorch.
#pragma once

#include <torch/torch.h>

#include "server/training/train_config.h"

namespace sluiced::training {

// Kingma and Ba 2015 (arXiv:1412.6980); Loshchilov and Hutter 2019
// (arXiv:1711.05101).
struct Moments {
  torch::Tensor first, second;  // Of the gradient and of its square.
  int64_t updates = 0;          // Made so far, for the bias corrections.

  static Moments ZerosLike(const torch::Tensor& parameters);
};

// Parameters and what the optimiser knows of them. No tensor in it is ever changed
// in place: copies are cheap, and keep what they hold.
struct Weights {
  torch::Tensor parameters;
  Moments moments;
};

// `weights` after one update; the gradient is overwritten. Call it under
// torch::NoGradGuard.
Weights Update(const TrainConfig& config, double learning_rate, torch::Tensor gradient,
               const Weights& weights);

}  // namespace sluiced::training
