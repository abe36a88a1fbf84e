// The parts of TrainConfig that follow from the epoch or the step.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "server/training/train_config.h"

namespace sluiced::training {
namespace {

double StageRate(const TrainConfig& config, int64_t epoch) {
  for (const Stage& stage : config.stages) {
    if (epoch < stage.epochs) return stage.learning_rate;
    epoch -= stage.epochs;
  }
  return config.stages.empty() ? config.learning_rate : config.stages.back().learning_rate;
}

}  // namespace

int64_t TotalEpochs(const TrainConfig& config) {
  if (config.schedule != Schedule::kStages) return config.epochs;
  int64_t total = 0;
  for (const Stage& stage : config.stages) total += stage.epochs;
  return total;
}

double LearningRateAt(const TrainConfig& config, int64_t step, int64_t steps_per_epoch) {
  const int64_t epoch = step / steps_per_epoch;
  switch (config.schedule) {
    case Schedule::kConstant:
      break;
    case Schedule::kCosine: {
      const int64_t last = std::max<int64_t>(TotalEpochs(config) * steps_per_epoch - 1, 1);
      const double part = static_cast<double>(std::min(step, last)) / static_cast<double>(last);
      return config.final_learning_rate + (config.learning_rate - config.final_learning_rate) *
                                              0.5 * (1 + std::cos(std::numbers::pi * part));
    }
    case Schedule::kSteps:
      return config.learning_rate *
             std::pow(config.step_factor, static_cast<double>(epoch / config.step_epochs));
    case Schedule::kStages:
      return StageRate(config, epoch);
  }
  return config.learning_rate;
}

std::vector<int64_t> SnapshotEpochs(const TrainConfig& config) {
  const int64_t total = TotalEpochs(config);
  std::vector<int64_t> epochs;
  for (int64_t i = 1; i <= config.snapshots; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(config.snapshots);
    const auto epoch =
        static_cast<int64_t>(std::ceil(static_cast<double>(total) * part * part - 1e-9));
    if (epochs.empty() || epoch > epochs.back()) epochs.push_back(epoch);
  }
  return epochs;
}

double AnnealingAt(const TrainConfig& config, int64_t epoch) {
  const int64_t epochs =
      config.anneal_epochs > 0 ? config.anneal_epochs : (TotalEpochs(config) + 1) / 2;
  const double done = static_cast<double>(epoch) / static_cast<double>(epochs);
  return std::min(1.0, config.anneal_from + (1 - config.anneal_from) * done);
}

}  // namespace sluiced::training
