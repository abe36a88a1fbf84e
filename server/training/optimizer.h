// The optimiser as a run uses it: engine/adam.h, on weights that are replaced. No
// LibTorch here.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "server/common/array.h"
#include "server/training/train_config.h"

namespace sluiced::training {

// Parameters and what the optimiser knows of them, all of one shape and dtype:
// running means of the gradient and of its square. Never changed, only replaced:
// copies are cheap.
struct Weights {
  std::shared_ptr<const Array> parameters, first_moment, second_moment;
  int64_t updates = 0;  // Made so far, for the bias corrections.

  // With moments of zero.
  static Weights Fresh(std::shared_ptr<const Array> parameters);
};

// Euclidean norm; NaN and inf stay what they are.
double Norm(const Array& gradient);

// Makes new weights in the memory of those that nobody holds any more. Not
// thread-safe, nor may others drop weights it made meanwhile.
class Updater {
 public:
  explicit Updater(const TrainConfig& config) : config_(config) {}

  // `weights` after one update along `gradient`, which is of this `norm` and clipped
  // as the config says.
  Weights Update(double learning_rate, const Array& gradient, double norm, const Weights& weights);

 private:
  std::shared_ptr<Array> Take(const Array& like);

  const TrainConfig config_;
  std::vector<std::shared_ptr<Array>> arrays_;  // Those that are held here alone are free.
};

}  // namespace sluiced::training
