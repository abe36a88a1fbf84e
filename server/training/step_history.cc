#include "server/training/step_history.h"

namespace sluiced::training {
namespace {

// An explosion shows within a few steps of the one that led to it: one to three as
// a rule, eight at most in 30 runs of the original recipe.
constexpr int64_t kMostSteps = 16;
constexpr int64_t kMostBytes = int64_t{256} << 20;

int64_t StepsThatFit(const Weights& weights) {
  const auto bytes = static_cast<int64_t>(3 * weights.parameters->bytes().size());
  return std::clamp<int64_t>(kMostBytes / std::max<int64_t>(bytes, 1), 1, kMostSteps);
}

}  // namespace

void StepHistory::Begin(const Weights& anchor) { states_ = {anchor}; }

void StepHistory::Push(const Weights& before_step) {
  states_.push_back(before_step);
  if (static_cast<int64_t>(states_.size()) > 1 + StepsThatFit(before_step)) {
    states_.erase(states_.begin() + 1);
  }
}

}  // namespace sluiced::training
