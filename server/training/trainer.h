// One training run, from rows or a target to parameters. No LibTorch type here.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/common/array.h"
#include "server/flows/flow.h"
#include "server/targets/target.h"
#include "server/training/progress.h"
#include "server/training/train_config.h"

namespace sluiced::training {

struct TrainInput {
  flows::FlowState start;
  TrainConfig config;
  // One of the two, or both, which mixes them by config.target_weight.
  // [n, RowColumns(spec)], finite, either dtype; with the weights as one column more.
  std::shared_ptr<const Array> rows;
  const targets::Target* target = nullptr;
  int64_t weight_column = -1;             // Of `rows`; -1: all weigh the same.
  std::vector<std::string> column_names;  // Of `rows`, for messages; may be empty.
  // A checkpoint of this same run, to go on from; empty: begin.
  std::string checkpoint;
  // The last checkpoint of an earlier, finished run of the same spec whose last
  // parameters and optimiser state begin this one; empty: `start`, fresh state.
  std::string continue_from;
  // That compute, the caller's among them.
  int threads = 1;
};

enum class Signal { kContinue, kPause, kCancel };

// Called on the training thread; each must return soon. A failed Status ends the
// training with it.
struct TrainCallbacks {
  std::function<absl::Status(const Progress&)> on_progress;
  // A checkpoint from which an equal TrainInput continues to the same bits. Called
  // every `checkpoint_interval` at the end of an epoch, and when paused.
  std::function<absl::Status(std::string checkpoint)> on_checkpoint;
  std::function<absl::Status(int64_t epoch, const flows::FlowState&)> on_snapshot;
  std::function<Signal()> signal;  // Asked before every step.
  absl::Duration checkpoint_interval = absl::Seconds(2);
};

struct TrainOutcome {
  // kPause and kCancel: stopped as asked; `state` is then not to be published.
  Signal stopped_by = Signal::kContinue;
  flows::FlowState state;                 // Best parameters, or last as configured.
  std::map<std::string, double> metrics;  // As sluice.v1.Version.metrics.
  std::string last_checkpoint;            // For a later continue_from.
};

// Blocks. The same input gives the same bits, whatever the number of threads.
// INVALID_ARGUMENT for data or settings that cannot be trained on (too few rows,
// a constant column under standardisation: named); ABORTED when the loss stays
// not finite after the rollbacks.
absl::StatusOr<TrainOutcome> Train(const TrainInput& input, const TrainCallbacks& callbacks);

}  // namespace sluiced::training
