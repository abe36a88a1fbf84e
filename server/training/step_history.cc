#include "server/training/step_history.h"

namespace sluiced::training {
namespace {

// An explosion shows within a few steps of the one that led to it: one to three as
// a rule, eight at most in 30 runs of the original recipe.
constexpr int64_t kMostSteps = 16;
constexpr int64_t kMostBytes = int64_t{256} << 20;

// Parameters and two moments each.
int64_t StepBytes(int64_t parameter_bytes) { return std::max<int64_t>(3 * parameter_bytes, 1); }

int64_t StepsThatFit(int64_t parameter_bytes) {
  return std::clamp<int64_t>(kMostBytes / StepBytes(parameter_bytes), 1, kMostSteps);
}

}  // namespace

int64_t StepHistory::MostBytes(int64_t parameter_bytes) {
  return (1 + StepsThatFit(parameter_bytes)) * StepBytes(parameter_bytes);
}

void StepHistory::Begin(const Weights& anchor) { states_ = {anchor}; }

void StepHistory::Push(const Weights& before_step) {
  states_.push_back(before_step);
  if (static_cast<int64_t>(states_.size()) >
      1 + StepsThatFit(static_cast<int64_t>(before_step.parameters->bytes().size()))) {
    states_.erase(states_.begin() + 1);
  }
}

}  // namespace sluiced::training
