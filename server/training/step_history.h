// StepHistory: the weights before the last steps of a run, for undoing some. No
// LibTorch here.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "server/training/optimizer.h"

namespace sluiced::training {

class StepHistory {
 public:
  // What it holds at most, of parameters of so many bytes.
  static int64_t MostBytes(int64_t parameter_bytes);

  // Forgets all; `anchor` is the farthest that an undoing reaches.
  void Begin(const Weights& anchor);
  // Before every step, the weights that it starts from. Of these as many of the
  // last as fit are kept.
  void Push(const Weights& before_step);

  // Undoes steps, the fewest of them after which `is_sane(parameters)`: sets
  // `weights` to what they were before these and returns their number. 0, and
  // `weights` untouched, when there is no such state here.
  template <typename IsSane>
  int64_t Undo(IsSane is_sane, Weights* weights) {
    for (size_t steps = 1; steps <= states_.size(); ++steps) {
      const size_t index = states_.size() - steps;
      if (!is_sane(*states_[index].parameters)) continue;
      *weights = states_[index];
      states_.resize(std::max<size_t>(index, 1));
      return static_cast<int64_t>(steps);
    }
    return 0;
  }

 private:
  std::vector<Weights> states_;  // The anchor, then the oldest step first.
};

}  // namespace sluiced::training
