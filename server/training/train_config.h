// Settings of one training. No LibTorch here. Mirrors sluice.v1.TrainConfig,
// where each field's meaning stands.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluiced::training {

enum class Optimizer { kAdam, kAdamW };
enum class Schedule { kConstant, kCosine, kSteps, kStages };
enum class Objective { kMaximumLikelihood, kReverseKl, kMixed };
// Of columns on which a likelihood grows without bound.
enum class Degenerate { kRefuse, kDequantize, kAllow };

struct Stage {
  int64_t epochs = 0;
  double learning_rate = 0;
  friend bool operator==(const Stage&, const Stage&) = default;
};

struct TrainConfig {
  int64_t epochs = 100;
  int64_t batch_size = 256;
  Optimizer optimizer = Optimizer::kAdam;
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  Schedule schedule = Schedule::kConstant;
  std::vector<Stage> stages;
  int64_t step_epochs = 0;
  double step_factor = 0.1;
  double final_learning_rate = 0;
  double clip_norm = 5;
  uint64_t seed = 0;
  double validation_fraction = 0.1;
  int64_t patience = 0;
  bool shuffle = true;
  bool publish_last = false;
  int64_t rows = 5000;
  bool fixed_draws = false;
  bool drop_score = false;
  int64_t snapshots = 40;  // -1: none
  Degenerate degenerate = Degenerate::kRefuse;
  double target_weight = 0.5;  // Of kMixed.
  double anneal_from = 1;
  int64_t anneal_epochs = 0;  // 0: half of them.

  friend bool operator==(const TrainConfig&, const TrainConfig&) = default;
};

// INVALID_ARGUMENT naming the field ("learning_rate").
absl::Status Validate(const TrainConfig& config, Objective objective);

int64_t TotalEpochs(const TrainConfig& config);
// b of epoch `epoch` (from 0), which sees the target's density to the power of b.
double AnnealingAt(const TrainConfig& config, int64_t epoch);
// Of optimiser step `step` (from 0), `steps_per_epoch` steps an epoch, before any
// halving after a rollback.
double LearningRateAt(const TrainConfig& config, int64_t step, int64_t steps_per_epoch);
// Epochs (from 1) after which a snapshot is kept: at most `snapshots`, denser at
// the start where the flow changes fastest, the last epoch among them.
std::vector<int64_t> SnapshotEpochs(const TrainConfig& config);

std::string ToJson(const TrainConfig& config);
absl::StatusOr<TrainConfig> ConfigFromJson(absl::string_view json);

}  // namespace sluiced::training
