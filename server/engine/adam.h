// Adam and AdamW over flat buffers, with torch.optim's arithmetic.
#pragma once

#include <cstdint>
#include <span>

namespace sluiced::engine {

// Kingma and Ba 2015 (arXiv:1412.6980); Loshchilov and Hutter 2019
// (arXiv:1711.05101).
struct AdamStep {
  double learning_rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool decoupled = false;     // AdamW: the decay passes the moments by.
  int64_t updates = 1;        // With this one: for the bias corrections.
  double gradient_scale = 1;  // The gradient is taken times this: ClipScale.
};

// Running means of the gradient and of its square beside the parameters.
template <typename T>
struct AdamState {
  std::span<T> parameters, first_moment, second_moment;
};

// One update in one pass, every span of as many numbers; `after` may be `before`.
template <typename T>
void Update(const AdamStep& step, std::span<const T> gradient, const AdamState<const T>& before,
            const AdamState<T>& after);

// The gradient's Euclidean norm, the same on any machine and thread count up to the
// rounding of float64 sums. NaN or inf where a number is.
template <typename T>
double Norm(std::span<const T> gradient);

// What shortens a gradient of this norm to `clip_norm`; 1 where it is no longer, and
// where clip_norm is 0.
double ClipScale(double norm, double clip_norm);

}  // namespace sluiced::engine
