#include "server/training/run.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "server/common/status_macros.h"
#include "server/training/tensors.h"

namespace sluiced::training {
namespace {

// A loss so far above the lowest epoch's, in nats and in times the usual spread of
// batches, is an explosion. With raw scales single rows explode now and then, and the
// next steps heal them better than going back does: WOW's seed 1 ends at 3.24 nats
// when every explosion is rolled back and at 3.1 when none is. Only what stays is.
constexpr double kExplosionNats = 5;
constexpr double kExplosionSpreads = 3;
// Fractions of an epoch's steps above which it has diverged.
constexpr double kMostSkipped = 0.1;
constexpr double kMostExploded = 0.3;
// Epochs on end that may end in an explosion.
constexpr int64_t kMostStrikes = 5;
// Rollbacks of one epoch: after so many to its start the best parameters are taken,
// with a fresh optimiser; after so many in all the run is given up.
constexpr int64_t kTriesFromStart = 3;
constexpr int64_t kMostTries = 8;

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
      now_{ToTensor(start.parameters),
           {ToTensor(start.first_moment), ToTensor(start.second_moment), start.counters.updates},
           start.counters},
      best_(ToTensor(start.best_parameters)),
      last_checkpoint_(absl::Now()) {
  epoch_start_ = now_.Clone();
}

absl::StatusOr<TrainOutcome> Run::Execute() {
  while (!IsOver()) {
    epoch_start_ = now_.Clone();
    EpochSums sums;
    Ending ending = RunEpoch(&sums);
    if (ending == Ending::kStopped) return Stopped();
    Criterion::Assessment assessment;
    if (ending == Ending::kWhole) {
      torch::NoGradGuard no_grad;
      assessment = criterion_.Assess(now_.parameters);
      if (HasDiverged(assessment)) ending = Ending::kDiverged;
    }
    if (ending == Ending::kDiverged) {
      RETURN_IF_ERROR(RollBack());
    } else {
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

Run::Ending Run::RunEpoch(EpochSums* sums) {
  const absl::Time begin = absl::Now();
  const int64_t epoch = now_.counters.epoch;
  criterion_.BeginEpoch(epoch);
  now_.parameters.set_requires_grad(true);
  for (int64_t step = 0; step < steps_per_epoch_; ++step) {
    stopped_by_ = callbacks_.signal ? callbacks_.signal() : Signal::kContinue;
    if (stopped_by_ != Signal::kContinue) return Ending::kStopped;
    Step(step, sums);
  }
  now_.parameters.set_requires_grad(false);
  sums->time = absl::Now() - begin;
  return HasDiverged(*sums) ? Ending::kDiverged : Ending::kWhole;
}

void Run::Step(int64_t step, EpochSums* sums) {
  const int64_t first = step * config_.batch_size;
  const int64_t rows = std::min(config_.batch_size, criterion_.rows_per_epoch() - first);
  const Criterion::BatchLoss loss = criterion_.Batch(now_.parameters, first, rows);
  torch::Tensor gradient = torch::autograd::grad({loss.surrogate}, {now_.parameters})[0];
  torch::NoGradGuard no_grad;
  const double norm = gradient.norm().item<double>();
  if (!std::isfinite(loss.value) || !std::isfinite(norm)) {
    ++sums->skipped;
    ++now_.counters.skipped;
    return;
  }
  if (config_.clip_norm > 0 && norm > config_.clip_norm) gradient.mul_(config_.clip_norm / norm);
  sums->learning_rate =
      now_.counters.learning_rate_factor *
      LearningRateAt(config_, now_.counters.epoch * steps_per_epoch_ + step, steps_per_epoch_);
  Update(config_, sums->learning_rate, gradient, now_.moments, now_.parameters);
  sums->norm += norm;
  ++sums->steps;
  Count(loss.value, rows, sums);
}

void Run::Count(double loss, int64_t rows, EpochSums* sums) const {
  if (IsExploded(loss)) {
    ++sums->exploded;
    sums->highest_exploded = std::max(sums->highest_exploded, loss);
    return;
  }
  sums->loss += loss * static_cast<double>(rows);
  sums->rows += rows;
  sums->highest = std::max(sums->highest, loss);
}

bool Run::HasDiverged(const EpochSums& sums) {
  const auto steps = static_cast<double>(steps_per_epoch_);
  const bool none_left = sums.rows == 0;
  if ((none_left && sums.exploded == 0) ||
      (sums.skipped > 1 && static_cast<double>(sums.skipped) > kMostSkipped * steps)) {
    why_ = absl::StrCat("loss or gradient was not finite in ", sums.skipped, " of ",
                        steps_per_epoch_, " steps");
  } else if (none_left ||
             (sums.exploded > 1 && static_cast<double>(sums.exploded) > kMostExploded * steps)) {
    why_ = absl::StrFormat("the loss rose to %g, in %d of %d steps", sums.highest_exploded,
                           sums.exploded, steps_per_epoch_);
  } else {
    return false;
  }
  return true;
}

bool Run::HasDiverged(const Criterion::Assessment& assessment) {
  int64_t& strikes = now_.counters.strikes;
  strikes = assessment.on_training_rows && IsExploded(assessment.loss) ? strikes + 1 : 0;
  if (strikes < kMostStrikes) return false;
  why_ =
      absl::StrFormat("the loss was %g, above all reason for %d epochs", assessment.loss, strikes);
  return true;
}

bool Run::IsHopeless() const { return now_.counters.tries >= kMostTries; }

bool Run::IsExploded(double loss) const {
  const Counters& counters = now_.counters;
  if (!std::isfinite(loss)) return true;
  // Of data with heavy tails single batches are that bad, whatever the rate.
  if (IsHopeless()) return false;
  return loss > counters.reference_loss + kExplosionNats + kExplosionSpreads * counters.spread;
}

absl::Status Run::RollBack() {
  if (IsHopeless()) {
    return absl::AbortedError(absl::StrCat("the training does not converge: in epoch ",
                                           now_.counters.epoch + 1, " ", why_, ", still after ",
                                           kMostTries, " rollbacks at ever lower learning rates"));
  }
  const int64_t skipped = now_.counters.skipped;
  now_ = epoch_start_.Clone();
  Counters& counters = now_.counters;
  counters.skipped = skipped;
  ++counters.rollbacks;
  ++counters.tries;
  counters.learning_rate_factor /= 2;
  // Where the epochs before were no better their end is no place to begin.
  const bool from_best =
      (counters.tries > kTriesFromStart || counters.strikes > 0) && counters.best_epoch > 0;
  counters.strikes = 0;
  if (from_best) {
    now_.parameters = best_.clone();
    now_.moments = Moments::ZerosLike(best_);
  }
  return Say(absl::StrFormat(
      "epoch %d: %s; rolled back to the parameters of epoch %d, learning rate times %g",
      counters.epoch + 1, why_, from_best ? counters.best_epoch : counters.epoch,
      counters.learning_rate_factor));
}

void Run::Accept(const Criterion::Assessment& assessment, const EpochSums& sums) {
  Counters& counters = now_.counters;
  ++counters.epoch;
  counters.updates = now_.moments.updates;
  // After giving up on an explosion the new level is the one to watch from.
  counters.reference_loss =
      IsHopeless() ? sums.mean_loss() : std::min(counters.reference_loss, sums.mean_loss());
  counters.spread = sums.highest - sums.mean_loss();
  counters.tries = 0;
  // Explosions are events, not a sign that the rate is too high for the rest of the run.
  counters.learning_rate_factor = std::min(2 * counters.learning_rate_factor, 1.0);
  counters.seconds += absl::ToDoubleSeconds(sums.time);
  if (assessment.loss < counters.best_loss) {
    counters.best_loss = assessment.loss;
    counters.best_epoch = counters.epoch;
    best_ = now_.parameters.clone();
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
  if (absl::Now() - last_checkpoint_ >= callbacks_.checkpoint_interval) return KeepCheckpoint();
  return absl::OkStatus();
}

absl::Status Run::ReportOddSteps(const EpochSums& sums) {
  if (sums.skipped > 0) {
    RETURN_IF_ERROR(
        Say(absl::StrFormat("epoch %d: %d of %d steps skipped: their loss or gradient was not "
                            "finite",
                            now_.counters.epoch, sums.skipped, steps_per_epoch_)));
  }
  if (sums.exploded == 0) return absl::OkStatus();
  return Say(absl::StrFormat(
      "epoch %d: %d of %d steps left out of the mean loss, which rose to %g in them",
      now_.counters.epoch, sums.exploded, steps_per_epoch_, sums.highest_exploded));
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

absl::Status Run::KeepSnapshot() {
  const int64_t epoch = now_.counters.epoch;
  if (!callbacks_.on_snapshot ||
      !std::binary_search(snapshot_epochs_.begin(), snapshot_epochs_.end(), epoch)) {
    return absl::OkStatus();
  }
  return callbacks_.on_snapshot(epoch, StateOf(now_.parameters));
}

absl::Status Run::KeepCheckpoint() {
  last_checkpoint_ = absl::Now();
  return callbacks_.on_checkpoint ? callbacks_.on_checkpoint(Encode(now_)) : absl::OkStatus();
}

absl::StatusOr<TrainOutcome> Run::Stopped() {
  TrainOutcome outcome;
  outcome.stopped_by = stopped_by_;
  outcome.state = StateOf(epoch_start_.parameters);
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
  torch::NoGradGuard no_grad;
  const Counters& counters = now_.counters;
  const bool last = config_.publish_last || counters.best_epoch == 0;
  const torch::Tensor& chosen = last ? now_.parameters : best_;
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

flows::FlowState Run::StateOf(const torch::Tensor& parameters) const {
  return {start_.spec, ToArray(parameters), start_.standardization};
}

std::string Run::Encode(const Position& position) const {
  return EncodeCheckpoint({start_.spec, config_, start_.standardization, position.counters,
                           ToArray(position.parameters), ToArray(best_),
                           ToArray(position.moments.first), ToArray(position.moments.second)});
}

}  // namespace sluiced::training
