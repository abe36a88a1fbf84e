// Checkpoint: the state of a run between two epochs, as a safetensors file. No
// LibTorch here.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/common/array.h"
#include "server/flows/flow.h"
#include "server/training/optimizer.h"
#include "server/training/train_config.h"

namespace sluiced::training {

inline constexpr double kNoLoss = std::numeric_limits<double>::infinity();

// Everything that decides how a run goes on, but the numbers of its parameters and
// moments. The draws and the order of rows follow from the seed and the epoch.
struct Counters {
  int64_t epoch = 0;    // Whole epochs done.
  int64_t skipped = 0;  // Steps skipped for a loss or gradient that was not finite.
  int64_t rollbacks = 0;
  int64_t undone = 0;  // Steps undone for what the loss became after them.
  int64_t tries = 0;   // Rollbacks of the epoch under way.
  int64_t best_epoch = 0;
  double best_loss = kNoLoss;
  double reference_loss = kNoLoss;  // Lowest training loss of an epoch.
  double assessed_loss = kNoLoss;   // What the last epoch's end was judged by.
  double start_loss = kNoLoss;      // Before the first step, judged as epochs' ends are.
  double spread = 0;                // Median deviation of the last epoch's batch losses.
  double learning_rate_factor = 1;  // Below 1 for some epochs after a rollback.
  double seconds = 0;

  friend bool operator==(const Counters&, const Counters&) = default;
};

struct Checkpoint {
  flows::FlowSpec spec;
  TrainConfig config;
  flows::Standardization standardization;
  Counters counters;
  // All of the spec's dtype and [ParameterCount(spec)], none null.
  Weights now;
  Weights before;  // As the last epoch began.
  std::shared_ptr<const Array> best_parameters;
};

std::string EncodeCheckpoint(const Checkpoint& checkpoint);
// INVALID_ARGUMENT for anything that EncodeCheckpoint cannot have written.
absl::StatusOr<Checkpoint> DecodeCheckpoint(absl::string_view bytes);

}  // namespace sluiced::training
