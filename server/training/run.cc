#include "server/training/run.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "server/common/status_macros.h"

namespace sluiced::training {
namespace {

// A loss so far above the lowest epoch's (or, at an epoch's end, above the last
// end's), in nats and in times the usual spread of batches, is an explosion. With raw
// scales every few epochs a step sends some rows that it did not see far away, and
// the next layers' scales, exponentials of what they read, to 1e20 and beyond.
constexpr double kExplosionNats = 5;
constexpr double kExplosionSpreads = 10;
// Fractions of an epoch's steps above which it has diverged.
constexpr double kMostSkipped = 0.1;
constexpr double kMostExplosions = 0.3;
// Rollbacks of one epoch: after so many to its start the best parameters are taken,
// with a fresh optimiser; after so many in all the run is given up.
constexpr int64_t kTriesFromStart = 3;
constexpr int64_t kMostTries = 8;
// A rise of the loss by less says nothing.
constexpr double kTangibleNats = 0.01;

double MedianDeviation(std::vector<double> values) {
  const auto median = [&] {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
  };
  const double center = median();
  for (double& value : values) value = std::abs(value - center);
  return median();
}

}  // namespace

Run::Run(const Checkpoint& start, const TrainCallbacks& callbacks, Criterion& criterion)
    : config_(start.config),
      start_(start),
      callbacks_(callbacks),
      criterion_(criterion),
      epochs_(TotalEpochs(start.config)),
      steps_per_epoch_((criterion.rows_per_epoch() + start.config.batch_size - 1) /
                       start.config.batch_size),
      snapshot_epochs_(SnapshotEpochs(start.config)),
      now_{start.now, start.before, start.counters},
      epoch_start_(now_),
      updater_(start.config),
      best_(start.best_parameters),
      last_checkpoint_(Clock::now()) {}

absl::StatusOr<TrainOutcome> Run::Execute() {
  if (now_.counters.epoch == 0) {
    now_.counters.start_loss = criterion_.Assess(*now_.weights.parameters).loss;
  }
  while (!IsOver()) {
    epoch_start_ = now_;
    EpochSums sums;
    Criterion::Assessment assessment;
    switch (RunEpoch(&sums, &assessment)) {
      case Ending::kStopped:
        return Stopped();
      case Ending::kDiverged:
        RETURN_IF_ERROR(RollBack());
        break;
      case Ending::kWhole:
        RETURN_IF_ERROR(EndEpoch(assessment, sums));
    }
  }
  return Finish();
}

bool Run::IsOver() const {
  const Counters& counters = now_.counters;
  return counters.epoch >= epochs_ || (config_.patience > 0 && counters.epoch > 0 &&
                                       counters.epoch - counters.best_epoch >= config_.patience);
}

Run::Ending Run::RunEpoch(EpochSums* sums, Criterion::Assessment* assessment) {
  const Clock::time_point begin = Clock::now();
  criterion_.BeginEpoch(now_.counters.epoch);
  history_.Begin(now_.before);
  for (int64_t step = 0; step < steps_per_epoch_; ++step) {
    stopped_by_ = callbacks_.signal ? callbacks_.signal() : Signal::kContinue;
    if (stopped_by_ != Signal::kContinue) return Ending::kStopped;
    Step(step, sums);
  }
  sums->time = absl::FromChrono(Clock::now() - begin);
  if (HasDiverged(*sums)) return Ending::kDiverged;
  *assessment = AssessEnd(sums);
  return HasDiverged(*sums) ? Ending::kDiverged : Ending::kWhole;
}

void Run::Step(int64_t step, EpochSums* sums) {
  const int64_t first = step * config_.batch_size;
  const int64_t rows = std::min(config_.batch_size, criterion_.rows_per_epoch() - first);
  const auto learn = [&] {
    return criterion_.Batch(*now_.weights.parameters, first, rows, &gradient_);
  };
  const auto loss_at = [&](const Array& parameters) {
    return criterion_.Batch(parameters, first, rows, nullptr);
  };
  double loss = learn();
  const double reference = now_.counters.reference_loss;
  if (IsExploded(loss, reference) && UndoSteps(loss, reference, loss_at, sums)) loss = learn();
  const double norm = Norm(gradient_);
  if (!std::isfinite(loss) || !std::isfinite(norm)) {
    ++sums->skipped;
    ++now_.counters.skipped;
    return;
  }
  sums->learning_rate =
      now_.counters.learning_rate_factor *
      LearningRateAt(config_, now_.counters.epoch * steps_per_epoch_ + step, steps_per_epoch_);
  history_.Push(now_.weights);
  now_.weights = updater_.Update(sums->learning_rate, gradient_, norm, now_.weights);
  sums->norm += norm;
  ++sums->steps;
  sums->loss += loss * static_cast<double>(rows);
  sums->rows += rows;
  sums->batch_losses.push_back(loss);
}

Criterion::Assessment Run::AssessEnd(EpochSums* sums) {
  const auto loss_at = [&](const Array& parameters) { return criterion_.Assess(parameters).loss; };
  const Criterion::Assessment assessment = criterion_.Assess(*now_.weights.parameters);
  const double reference = now_.counters.assessed_loss;
  // Where the last epoch's end was not finite there is nothing to compare with.
  if (std::isfinite(reference) && IsExploded(assessment.loss, reference) &&
      UndoSteps(assessment.loss, reference, loss_at, sums)) {
    return criterion_.Assess(*now_.weights.parameters);
  }
  return assessment;
}

bool Run::IsHopeless() const { return now_.counters.tries >= kMostTries; }

bool Run::IsExploded(double loss, double reference) const {
  if (!std::isfinite(loss)) return true;
  // Of data with heavy tails single batches are that bad, whatever the rate.
  if (IsHopeless()) return false;
  return loss > reference + kExplosionNats + kExplosionSpreads * now_.counters.spread;
}

bool Run::UndoSteps(double loss, double reference,
                    const std::function<double(const Array&)>& loss_at, EpochSums* sums) {
  const int64_t steps = history_.Undo(
      [&](const Array& parameters) { return !IsExploded(loss_at(parameters), reference); },
      &now_.weights);
  // What is not finite and stays is skipped, and counted as that.
  if (steps == 0 && !std::isfinite(loss)) return false;
  ++sums->explosions;
  sums->highest = std::isfinite(loss) ? std::max(sums->highest, loss) : kNoLoss;
  sums->undone += steps;
  now_.counters.undone += steps;
  return steps > 0;
}

bool Run::HasDiverged(const EpochSums& sums) {
  const auto steps = static_cast<double>(steps_per_epoch_);
  if (sums.rows == 0 ||
      (sums.skipped > 1 && static_cast<double>(sums.skipped) > kMostSkipped * steps)) {
    why_ = absl::StrCat("loss or gradient was not finite in ", sums.skipped, " of ",
                        steps_per_epoch_, " steps");
  } else if (!IsHopeless() && (sums.undone >= steps_per_epoch_ ||
                               (sums.explosions > 1 &&
                                static_cast<double>(sums.explosions) > kMostExplosions * steps))) {
    why_ = absl::StrFormat("the loss rose to %g, %d times in %d steps", sums.highest,
                           sums.explosions, steps_per_epoch_);
  } else {
    return false;
  }
  return true;
}

absl::Status Run::RollBack() {
  if (IsHopeless()) {
    return absl::AbortedError(absl::StrCat("the training does not converge: in epoch ",
                                           now_.counters.epoch + 1, " ", why_, ", still after ",
                                           kMostTries, " rollbacks at ever lower learning rates"));
  }
  const auto [skipped, undone] = std::pair(now_.counters.skipped, now_.counters.undone);
  now_ = epoch_start_;
  Counters& counters = now_.counters;
  counters.skipped = skipped;
  counters.undone = undone;
  ++counters.rollbacks;
  ++counters.tries;
  counters.learning_rate_factor /= 2;
  const bool from_best = counters.tries > kTriesFromStart && counters.best_epoch > 0;
  if (from_best) now_.weights = Weights::Fresh(best_);
  return Say(absl::StrFormat(
      "epoch %d: %s; rolled back to the parameters of epoch %d, learning rate times %g",
      counters.epoch + 1, why_, from_best ? counters.best_epoch : counters.epoch,
      counters.learning_rate_factor));
}

void Run::Accept(const Criterion::Assessment& assessment, const EpochSums& sums) {
  Counters& counters = now_.counters;
  ++counters.epoch;
  now_.before = epoch_start_.weights;
  // After giving up on an explosion the new level is the one to watch from.
  counters.reference_loss =
      IsHopeless() ? sums.mean_loss() : std::min(counters.reference_loss, sums.mean_loss());
  counters.assessed_loss = assessment.loss;
  counters.spread = MedianDeviation(sums.batch_losses);
  counters.tries = 0;
  // Explosions are events, not a sign that the rate is too high for the rest of the run.
  counters.learning_rate_factor = std::min(2 * counters.learning_rate_factor, 1.0);
  counters.seconds += absl::ToDoubleSeconds(sums.time);
  if (assessment.loss < counters.best_loss &&
      criterion_.IsFiniteOnTrainingRows(*now_.weights.parameters)) {
    counters.best_loss = assessment.loss;
    counters.best_epoch = counters.epoch;
    best_ = now_.weights.parameters;
  }
}

absl::Status Run::EndEpoch(const Criterion::Assessment& assessment, const EpochSums& sums) {
  Accept(assessment, sums);
  RETURN_IF_ERROR(ReportOddSteps(sums));
  RETURN_IF_ERROR(ReportEpoch(assessment, sums));
  RETURN_IF_ERROR(KeepSnapshot());
  if (IsOver() && now_.counters.epoch < epochs_) {
    RETURN_IF_ERROR(Say(
        absl::StrFormat("stopped early: no better loss since epoch %d", now_.counters.best_epoch)));
  }
  const absl::Duration unkept = absl::FromChrono(Clock::now() - last_checkpoint_);
  if (unkept >= callbacks_.checkpoint_interval) return KeepCheckpoint();
  return absl::OkStatus();
}

absl::Status Run::ReportOddSteps(const EpochSums& sums) {
  const int64_t epoch = now_.counters.epoch;
  if (sums.skipped > 0) {
    RETURN_IF_ERROR(Say(
        absl::StrFormat("epoch %d: %d of %d steps skipped: their loss or gradient was not finite",
                        epoch, sums.skipped, steps_per_epoch_)));
  }
  if (sums.explosions == 0) return absl::OkStatus();
  return Say(absl::StrFormat("epoch %d: explosions of the loss: %d, up to %g; steps undone: %d",
                             epoch, sums.explosions, sums.highest, sums.undone));
}

absl::Status Run::ReportEpoch(const Criterion::Assessment& assessment, const EpochSums& sums) {
  const Counters& counters = now_.counters;
  const double seconds = std::max(absl::ToDoubleSeconds(sums.time), 1e-9);
  seconds_per_epoch_ = seconds_per_epoch_ == 0 ? seconds : 0.9 * seconds_per_epoch_ + 0.1 * seconds;
  Progress progress;
  progress.epoch = counters.epoch;
  progress.epochs = epochs_;
  progress.step = counters.epoch * steps_per_epoch_;
  progress.train_loss = sums.mean_loss();
  if (!assessment.on_training_rows) progress.validation_loss = assessment.loss;
  if (counters.best_epoch > 0) progress.best_loss = counters.best_loss;
  progress.best_epoch = counters.best_epoch;
  progress.learning_rate = sums.learning_rate;
  progress.gradient_norm = sums.norm / static_cast<double>(sums.steps);
  progress.rows_per_second = static_cast<double>(sums.rows) / seconds;
  progress.seconds_left = seconds_per_epoch_ * static_cast<double>(epochs_ - counters.epoch);
  progress.target = assessment.target;
  return callbacks_.on_progress ? callbacks_.on_progress(progress) : absl::OkStatus();
}

absl::Status Run::Say(std::string message) {
  Progress progress;
  progress.message = std::move(message);
  return callbacks_.on_progress ? callbacks_.on_progress(progress) : absl::OkStatus();
}

absl::Status Run::ReportLoss(double end) {
  const double start = now_.counters.start_loss;
  // A start that overflows is no start to go back to.
  if (!std::isfinite(start) || end <= start + kTangibleNats) return absl::OkStatus();
  return Say(
      absl::StrFormat("warning: the training made it worse: a loss of %g, from %g at the "
                      "start",
                      end, start));
}

absl::Status Run::KeepSnapshot() {
  const int64_t epoch = now_.counters.epoch;
  if (!callbacks_.on_snapshot ||
      !std::binary_search(snapshot_epochs_.begin(), snapshot_epochs_.end(), epoch)) {
    return absl::OkStatus();
  }
  return callbacks_.on_snapshot(epoch, StateOf(*now_.weights.parameters));
}

absl::Status Run::KeepCheckpoint() {
  last_checkpoint_ = Clock::now();
  return callbacks_.on_checkpoint ? callbacks_.on_checkpoint(Encode(now_)) : absl::OkStatus();
}

absl::StatusOr<TrainOutcome> Run::Stopped() {
  TrainOutcome outcome;
  outcome.stopped_by = stopped_by_;
  outcome.state = StateOf(*epoch_start_.weights.parameters);
  if (stopped_by_ == Signal::kPause) {
    // The epoch under way is done again, from its start: its bits are the same.
    outcome.last_checkpoint = Encode(epoch_start_);
    if (callbacks_.on_checkpoint) {
      RETURN_IF_ERROR(callbacks_.on_checkpoint(outcome.last_checkpoint));
    }
  }
  return outcome;
}

absl::StatusOr<TrainOutcome> Run::Finish() {
  const Counters& counters = now_.counters;
  const bool last = config_.publish_last || counters.best_epoch == 0;
  const double loss = last ? counters.assessed_loss : counters.best_loss;
  if (!std::isfinite(loss)) {
    return absl::AbortedError(
        counters.best_epoch > 0
            ? "the loss of the last parameters, which were to be published, is not finite"
            : absl::StrCat("the training does not converge: the loss was finite after none of its ",
                           counters.epoch, " epochs"));
  }
  RETURN_IF_ERROR(ReportLoss(loss));
  const Array& chosen = last ? *now_.weights.parameters : *best_;
  TrainOutcome outcome;
  outcome.state = StateOf(chosen);
  outcome.metrics = criterion_.Measure(chosen);
  outcome.metrics["best_epoch"] = static_cast<double>(counters.best_epoch);
  outcome.metrics["epochs"] = static_cast<double>(counters.epoch);
  outcome.metrics["rows"] = static_cast<double>(criterion_.rows_per_epoch());
  outcome.metrics["seconds"] = counters.seconds;
  outcome.last_checkpoint = Encode(now_);
  return outcome;
}

flows::FlowState Run::StateOf(const Array& parameters) const {
  return {start_.spec, parameters, start_.standardization};
}

std::string Run::Encode(const Position& position) const {
  return EncodeCheckpoint({start_.spec, config_, start_.standardization, position.counters,
                           position.weights, position.before, best_});
}

}  // namespace sluiced::training
