// Losses that are not finite or explode: undone, skipped, rolled back, given up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "server/training/checkpoint.h"
#include "server/training/trainer.h"
#include "tests/training/training_support.h"

namespace sluiced::training {
namespace {

using testing::Contains;
using testing::HasSubstr;

bool AllFinite(const Array& array) {
  for (int64_t i = 0; i < array.size(); ++i) {
    if (!std::isfinite(array.At(i))) return false;
  }
  return true;
}

constexpr size_t kBatchRows = 128;

// A standard normal whose log-density is `bad` from the training evaluation `from`
// on, until `until`. A batch is evaluated once, and after an explosion again at the
// weights before each of the last steps until it is sane.
class FailingTarget final : public targets::Target {
 public:
  FailingTarget(int64_t from, int64_t until, double bad = -std::numeric_limits<double>::infinity())
      : Target("failing", "", std::nullopt, {-5, -5}, {5, 5}),
        from_(from),
        until_(until),
        bad_(bad) {}
  void Evaluate(std::span<const double> x, std::span<double> log_density,
                std::span<double> gradient) const override {
    for (size_t row = 0; row < log_density.size(); ++row) {
      log_density[row] = -0.5 * (x[2 * row] * x[2 * row] + x[2 * row + 1] * x[2 * row + 1]);
    }
    for (size_t i = 0; i < gradient.size(); ++i) gradient[i] = -x[i];
  }
  void EvaluateContinued(std::span<const double> x, std::span<double> log_density,
                         std::span<double> gradient) const override {
    Evaluate(x, log_density, gradient);
    if (log_density.size() != kBatchRows) return;  // Of an assessment.
    const int64_t call = calls_++;
    if (call < from_ || call >= until_) return;
    for (double& value : log_density) value = bad_;
    for (double& g : gradient) g = 0;
  }

 private:
  const int64_t from_, until_;
  const double bad_;
  mutable int64_t calls_ = 0;
};

TrainInput OnFailing(const targets::Target& target) {
  TrainInput input = OnTarget("gaussian", 6, 1280);  // Ten steps an epoch.
  // Asks a target once a batch.
  input.start.spec.executor = flows::Executor::kTorch;
  input.target = &target;
  return input;
}

// The 14th evaluation is of the 4th step of the second epoch: at its batch the
// history holds the states before three steps, and that before the epoch before.
constexpr int64_t kFourthStep = 13;
constexpr int64_t kWithItsHistory = 5;

TEST(Guard, TheStepBeforeAnExplosionIsUndone) {
  for (const double bad : {-1e6, -std::numeric_limits<double>::infinity()}) {
    const FailingTarget target(kFourthStep, kFourthStep + 1, bad);
    Recorder recorder;
    const auto outcome = Train(OnFailing(target), recorder.callbacks());
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(recorder.messages.size(), 1u);
    EXPECT_THAT(recorder.messages, Contains(HasSubstr("explosions of the loss: 1, up to")));
    const Checkpoint last = DecodeCheckpoint(outcome->last_checkpoint).value();
    EXPECT_EQ(last.counters.undone, 1);
    EXPECT_EQ(last.now.updates, 59);
    for (const Progress& progress : recorder.epochs) EXPECT_LT(*progress.train_loss, 10);
  }
}

TEST(Guard, TheFewestStepsAreUndone) {
  const FailingTarget target(kFourthStep, kFourthStep + 2, -1e6);
  Recorder recorder;
  const auto outcome = Train(OnFailing(target), recorder.callbacks());
  ASSERT_TRUE(outcome.ok());
  EXPECT_THAT(recorder.messages, Contains(HasSubstr("steps undone: 2")));
  EXPECT_EQ(DecodeCheckpoint(outcome->last_checkpoint)->now.updates, 58);
}

TEST(Guard, ABadStepThatNothingCuresIsSkippedAndSaid) {
  const FailingTarget target(kFourthStep, kFourthStep + kWithItsHistory);
  Recorder recorder;
  const auto outcome = Train(OnFailing(target), recorder.callbacks());
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(recorder.messages.size(), 1u);
  EXPECT_THAT(recorder.messages, Contains(HasSubstr("epoch 2: 1 of 10 steps skipped")));
  const Checkpoint last = DecodeCheckpoint(outcome->last_checkpoint).value();
  EXPECT_EQ(last.counters.skipped, 1);
  EXPECT_EQ(last.now.updates, 59);
}

// The reported loss is the mean over all rows learnt from, whatever they lost.
TEST(Guard, AnExplosionThatNothingCuresCountsInTheMean) {
  const FailingTarget target(kFourthStep, kFourthStep + kWithItsHistory, -1e6);
  Recorder recorder;
  const auto outcome = Train(OnFailing(target), recorder.callbacks());
  ASSERT_TRUE(outcome.ok());
  EXPECT_THAT(
      recorder.messages,
      Contains(HasSubstr("epoch 2: explosions of the loss: 1, up to 999997; steps undone: 0")));
  EXPECT_EQ(DecodeCheckpoint(outcome->last_checkpoint)->now.updates, 60);
  for (const Progress& progress : recorder.epochs) {
    EXPECT_NEAR(*progress.train_loss, progress.epoch == 2 ? 1e5 : 0, 10);
  }
}

// A normal wider than the flow begins, with a trap outside: as the flow widens, a
// step now and then sends a draw into it.
class Trap final : public targets::Target {
 public:
  Trap() : Target("trap", "", std::nullopt, {-9, -9}, {9, 9}) {}
  void Evaluate(std::span<const double> x, std::span<double> log_density,
                std::span<double> gradient) const override {
    constexpr double kVariance = 9, kEdge = 7;
    for (size_t row = 0; row < log_density.size(); ++row) {
      const double squares = x[2 * row] * x[2 * row] + x[2 * row + 1] * x[2 * row + 1];
      log_density[row] = squares < kEdge * kEdge ? -0.5 * squares / kVariance : -1e6;
    }
    for (size_t i = 0; i < gradient.size(); ++i) gradient[i] = -x[i] / kVariance;
  }
  void EvaluateContinued(std::span<const double> x, std::span<double> log_density,
                         std::span<double> gradient) const override {
    Evaluate(x, log_density, gradient);
  }
};

// Explosions are undone to the same bits from every checkpoint.
TEST(Guard, ARunWithExplosionsGoesOnToTheSameBits) {
  const Trap target;
  TrainInput input = OnFailing(target);
  input.config.epochs = 12;
  Recorder recorder;
  const TrainOutcome whole = Train(input, recorder.callbacks()).value();
  EXPECT_GT(DecodeCheckpoint(whole.last_checkpoint)->counters.undone, 2);
  for (const std::string& checkpoint : recorder.checkpoints) {
    input.checkpoint = checkpoint;
    EXPECT_EQ(Train(input, {})->state.parameters, whole.state.parameters);
  }
}

TEST(Guard, ManyBadStepsRollBackAndTheRunGoesOn) {
  const FailingTarget target(13, 35);
  Recorder recorder;
  const auto outcome = Train(OnFailing(target), recorder.callbacks());
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_THAT(recorder.messages, Contains(HasSubstr("rolled back")));
  ASSERT_EQ(recorder.epochs.size(), 6u);
  for (const Progress& progress : recorder.epochs) EXPECT_TRUE(std::isfinite(*progress.train_loss));
  EXPECT_LT(recorder.epochs[1].learning_rate, 5e-3);
  EXPECT_EQ(recorder.epochs.back().learning_rate, 5e-3) << "good epochs bring the rate back";
  EXPECT_TRUE(AllFinite(outcome->state.parameters));
}

TEST(Guard, ALossThatStaysNotFiniteIsGivenUpWithTheReason) {
  const FailingTarget target(13, std::numeric_limits<int64_t>::max());
  Recorder recorder;
  const auto outcome = Train(OnFailing(target), recorder.callbacks());
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(outcome.status().message()), HasSubstr("not finite"));
  EXPECT_EQ(recorder.messages.size(), 8u);
}

TEST(Guard, AnExplosionThatStaysIsRolledBack) {
  const FailingTarget target(13, 35, -1e6);
  Recorder recorder;
  ASSERT_TRUE(Train(OnFailing(target), recorder.callbacks()).ok());
  EXPECT_THAT(recorder.messages, Contains(HasSubstr("rolled back")));
  for (const Progress& progress : recorder.epochs) EXPECT_LT(*progress.train_loss, 10);
}

// It may be how the data are: only what is not finite is given up.
TEST(Guard, AFiniteLossIsNeverGivenUp) {
  const FailingTarget target(13, std::numeric_limits<int64_t>::max(), -1e6);
  Recorder recorder;
  ASSERT_TRUE(Train(OnFailing(target), recorder.callbacks()).ok());
  EXPECT_EQ(recorder.messages.size(), 8u);
  EXPECT_EQ(recorder.epochs.size(), 6u);
}

TEST(Guard, NeverFiniteIsGivenUpToo) {
  const FailingTarget target(0, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(Train(OnFailing(target), {}).status().code(), absl::StatusCode::kAborted);
}

TEST(Guard, AbsurdLearningRatesEndInAnErrorOrFiniteParameters) {
  for (double rate : {1.0, 1e3, 1e30}) {
    for (double bound : {0.0, 2.0}) {
      TrainInput input = OnRows(8, 300);
      input.start.spec.scale_bound = bound;
      input.config.learning_rate = rate;
      const auto outcome = Train(input, {});
      if (outcome.ok()) {
        EXPECT_TRUE(AllFinite(outcome->state.parameters)) << rate;
        EXPECT_TRUE(std::isfinite(outcome->metrics.at("train_loss"))) << rate;
      } else {
        EXPECT_EQ(outcome.status().code(), absl::StatusCode::kAborted) << outcome.status();
      }
    }
  }
}

TEST(Guard, AbsurdLearningRatesPublishNoDensityThatIsNone) {
  for (double rate : {1e3, 1e30}) {
    TrainInput input = OnRows(2, 600);
    input.start.spec.architecture = flows::Architecture::kNeuralSpline;
    input.start.parameters = flows::InitialParameters(input.start.spec, 1);
    input.target = targets::FindTarget("ring").value();
    input.config.target_weight = 0.1;
    input.config.learning_rate = rate;
    const auto outcome = Train(input, {});
    if (!outcome.ok()) {
      EXPECT_EQ(outcome.status().code(), absl::StatusCode::kAborted) << outcome.status();
      continue;
    }
    EXPECT_TRUE(std::isfinite(outcome->metrics.at("train_loss"))) << rate;
    EXPECT_TRUE(std::isfinite(outcome->metrics.at("target_loss"))) << rate;
  }
}

TEST(Guard, StartsFromParametersThatAreNotFiniteEndInAnError) {
  TrainInput input = OnRows(2);
  for (float& value : input.start.parameters.as<float>()) {
    value = std::numeric_limits<float>::quiet_NaN();
  }
  EXPECT_FALSE(Train(input, {}).ok());
}

TEST(Guard, HugeRowsWithoutStandardizationDoNotHang) {
  TrainInput input = OnRows(3, 200);
  input.start.spec.standardize = false;
  auto rows = std::make_shared<Array>(*input.rows);
  for (float& value : rows->as<float>()) value *= 1e18f;
  input.rows = rows;
  const auto outcome = Train(input, {});
  if (outcome.ok()) {
    EXPECT_TRUE(AllFinite(outcome->state.parameters));
  }
}

TEST(Guard, HeavyTailsAreNoReasonToGiveUp) {
  TrainInput input = OnRows(10);
  auto rows = std::make_shared<Array>(*input.rows);
  PhiloxReader random(5, Stream::kGenerate);
  for (float& value : rows->as<float>()) {  // Cauchy.
    value = static_cast<float>(std::tan(3.14159 * (random.Uniform() - 0.5)));
  }
  input.rows = rows;
  const auto outcome = Train(input, {});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_TRUE(std::isfinite(outcome->metrics.at("train_loss")));
}

TEST(Guard, DuplicatedAndCollinearRowsAreSaid) {
  TrainInput input = OnRows(2);
  auto rows = std::make_shared<Array>(*input.rows);
  auto x = rows->as<float>();
  for (size_t i = 0; i < x.size(); i += 2) x[i + 1] = 2 * x[i];
  input.rows = rows;
  EXPECT_THAT(std::string(Train(input, {}).status().message()),
              HasSubstr("column 1 follows linearly"));
  input.config.degenerate = Degenerate::kAllow;
  Recorder recorder;
  Train(input, recorder.callbacks()).status().IgnoreError();
  EXPECT_THAT(recorder.messages, Contains(HasSubstr("warning: column 1 follows linearly")));
}

// A fit that a few large steps take apart.
TEST(Guard, ATrainingThatMadeItWorseSaysSo) {
  TrainInput input = OnRows(40);
  input.start = Train(input, {}).value().state;
  input.config.epochs = 2;
  input.config.learning_rate = 0.05;
  Recorder recorder;
  ASSERT_TRUE(Train(input, recorder.callbacks()).ok());
  ASSERT_FALSE(recorder.messages.empty());
  EXPECT_THAT(recorder.messages.back(),
              HasSubstr("warning: the training made it worse: a loss of"));
  // And so does one that was interrupted after its first epoch.
  ASSERT_FALSE(recorder.checkpoints.empty());
  input.checkpoint = recorder.checkpoints.front();
  Recorder again;
  ASSERT_TRUE(Train(input, again.callbacks()).ok());
  EXPECT_EQ(again.messages.back(), recorder.messages.back());
}

}  // namespace
}  // namespace sluiced::training
