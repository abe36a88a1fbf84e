// Run: the loop of one training. Private to the training: includes LibTorch.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/training/checkpoint.h"
#include "server/training/criterion.h"
#include "server/training/optimizer.h"
#include "server/training/trainer.h"

namespace sluiced::training {

// Uses its arguments until the end of its life; callbacks as Train's. Used once.
class Run {
 public:
  // `start` says where the run stands, its parameters and moments included.
  Run(const Checkpoint& start, const TrainCallbacks& callbacks, Criterion& criterion);

  // Throws what LibTorch throws.
  absl::StatusOr<TrainOutcome> Execute();

 private:
  // All that an epoch changes.
  struct Position {
    torch::Tensor parameters;
    Moments moments;
    Counters counters;

    Position Clone() const { return {parameters.detach().clone(), moments.Clone(), counters}; }
  };
  struct EpochSums {
    double loss = 0;  // Times rows.
    int64_t rows = 0;
    double highest = -kNoLoss;
    double norm = 0;
    int64_t steps = 0;
    int64_t skipped = 0;   // Neither finite nor learnt from.
    int64_t exploded = 0;  // Learnt from, but left out of `loss` and `rows`.
    double highest_exploded = 0;
    double learning_rate = 0;  // Of the last step.
    absl::Duration time;

    double mean_loss() const { return loss / static_cast<double>(rows); }
  };
  enum class Ending { kWhole, kDiverged, kStopped };

  bool IsOver() const;
  // kDiverged sets why_.
  Ending RunEpoch(EpochSums* sums);
  void Step(int64_t step, EpochSums* sums);
  void Count(double loss, int64_t rows, EpochSums* sums) const;
  bool HasDiverged(const EpochSums& sums);
  // The same after the epoch; true once it stays exploded.
  bool HasDiverged(const Criterion::Assessment& assessment);
  void Accept(const Criterion::Assessment& assessment, const EpochSums& sums);
  bool IsExploded(double loss) const;
  bool IsHopeless() const;
  absl::Status EndEpoch(const Criterion::Assessment& assessment, const EpochSums& sums);
  absl::Status RollBack();
  absl::Status ReportOddSteps(const EpochSums& sums);
  absl::Status ReportEpoch(const Criterion::Assessment& assessment, const EpochSums& sums);
  absl::Status Say(std::string message);
  absl::Status KeepSnapshot();
  absl::Status KeepCheckpoint();
  absl::StatusOr<TrainOutcome> Stopped();
  absl::StatusOr<TrainOutcome> Finish();
  flows::FlowState StateOf(const torch::Tensor& parameters) const;
  std::string Encode(const Position& position) const;

  const TrainConfig& config_;
  const Checkpoint& start_;
  const TrainCallbacks& callbacks_;
  Criterion& criterion_;
  const int64_t epochs_;
  const int64_t steps_per_epoch_;
  const std::vector<int64_t> snapshot_epochs_;

  Position now_;
  Position epoch_start_;
  torch::Tensor best_;
  Signal stopped_by_ = Signal::kContinue;
  std::string why_;
  double seconds_per_epoch_ = 0;
  absl::Time last_checkpoint_;
};

}  // namespace sluiced::training
