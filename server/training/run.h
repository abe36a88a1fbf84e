// Run: the loop of one training. No LibTorch here.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/training/checkpoint.h"
#include "server/training/criterion.h"
#include "server/training/optimizer.h"
#include "server/training/step_history.h"
#include "server/training/trainer.h"

namespace sluiced::training {

// Uses its arguments until the end of its life; callbacks as Train's. Used once.
class Run {
 public:
  // `start` says where the run stands, its parameters and moments included.
  Run(const Checkpoint& start, const TrainCallbacks& callbacks, Criterion& criterion);

  // Throws what the criterion throws.
  absl::StatusOr<TrainOutcome> Execute();

 private:
  // Nobody sets it.
  using Clock = std::chrono::steady_clock;
  // All that an epoch changes.
  struct Position {
    Weights weights;
    Weights before;  // As the epoch before began.
    Counters counters;
  };
  struct EpochSums {
    double loss = 0;  // Times rows.
    int64_t rows = 0;
    std::vector<double> batch_losses;
    double norm = 0;
    int64_t steps = 0;
    int64_t skipped = 0;  // Not finite: neither counted nor learnt from.
    int64_t explosions = 0;
    int64_t undone = 0;        // Steps taken back for them.
    double highest = 0;        // Loss of them all.
    double learning_rate = 0;  // Of the last step.
    absl::Duration time;

    double mean_loss() const { return loss / static_cast<double>(rows); }
  };
  enum class Ending { kWhole, kDiverged, kStopped };

  bool IsOver() const;
  // kDiverged sets why_; kWhole sets `assessment`.
  Ending RunEpoch(EpochSums* sums, Criterion::Assessment* assessment);
  void Step(int64_t step, EpochSums* sums);
  Criterion::Assessment AssessEnd(EpochSums* sums);
  // After an explosion to `loss`: back to the last weights where `loss_at` is none.
  // False when there are none.
  bool UndoSteps(double loss, double reference, const std::function<double(const Array&)>& loss_at,
                 EpochSums* sums);
  bool HasDiverged(const EpochSums& sums);
  void Accept(const Criterion::Assessment& assessment, const EpochSums& sums);
  bool IsExploded(double loss, double reference) const;
  bool IsHopeless() const;
  absl::Status EndEpoch(const Criterion::Assessment& assessment, const EpochSums& sums);
  absl::Status RollBack();
  absl::Status ReportOddSteps(const EpochSums& sums);
  absl::Status ReportEpoch(const Criterion::Assessment& assessment, const EpochSums& sums);
  absl::Status Say(std::string message);
  // A warning where the parameters to be published are worse than those at the start.
  absl::Status ReportLoss(double end);
  absl::Status KeepSnapshot();
  absl::Status KeepCheckpoint();
  absl::StatusOr<TrainOutcome> Stopped();
  absl::StatusOr<TrainOutcome> Finish();
  flows::FlowState StateOf(const Array& parameters) const;
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
  StepHistory history_;
  Updater updater_;
  Array gradient_;
  std::shared_ptr<const Array> best_;
  Signal stopped_by_ = Signal::kContinue;
  std::string why_;
  double seconds_per_epoch_ = 0;
  Clock::time_point last_checkpoint_;
};

}  // namespace sluiced::training
