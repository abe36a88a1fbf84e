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
  Moments Clone() const;
};

// One update of `parameters` and `moments` in place; the gradient is overwritten.
// Call it under torch::NoGradGuard.
void Update(const TrainConfig& config, double learning_rate, torch::Tensor gradient,
            Moments& moments, torch::Tensor& parameters);

}  // namespace sluiced::training
