// Whole trainings: what they reach, and that they go on to the same bits.
#include "server/training/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "server/common/errors.h"
#include "server/training/checkpoint.h"
#include "tests/training/training_support.h"

namespace sluiced::training {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(TrainOnRows, LowersTheLossAndReportsEveryEpoch) {
  Recorder recorder;
  const TrainOutcome outcome = Train(OnRows(25), recorder.callbacks()).value();
  ASSERT_EQ(recorder.epochs.size(), 25u);
  EXPECT_THAT(recorder.messages, IsEmpty());
  const Progress& first = recorder.epochs.front();
  const Progress& last = recorder.epochs.back();
  EXPECT_LT(*last.train_loss, *first.train_loss - 0.3);
  EXPECT_EQ(last.epoch, 25);
  EXPECT_EQ(last.epochs, 25);
  EXPECT_EQ(last.step, 25 * 9);  // 540 rows in batches of 64.
  EXPECT_EQ(last.learning_rate, 5e-3);
  EXPECT_GT(last.gradient_norm, 0);
  EXPECT_GT(last.rows_per_second, 0);
  EXPECT_EQ(last.seconds_left, 0);
  EXPECT_GT(first.seconds_left, 0);
  EXPECT_FALSE(last.target);
  EXPECT_EQ(outcome.stopped_by, Signal::kContinue);
  EXPECT_EQ(outcome.metrics.at("rows"), 540);
  EXPECT_EQ(outcome.metrics.at("epochs"), 25);
  EXPECT_GT(outcome.metrics.at("seconds"), 0);
}

TEST(TrainOnRows, PublishesTheBestParametersOrTheLast) {
  TrainInput input = OnRows(30);
  input.config.learning_rate = 0.03;
  Recorder recorder;
  const TrainOutcome best = Train(input, recorder.callbacks()).value();
  double lowest = kNoLoss;
  int64_t lowest_epoch = 0;
  for (const Progress& progress : recorder.epochs) {
    if (*progress.validation_loss < lowest) {
      lowest = *progress.validation_loss;
      lowest_epoch = progress.epoch;
    }
  }
  ASSERT_LT(lowest_epoch, 30) << "the last epoch is the best: this run shows nothing";
  EXPECT_EQ(best.metrics.at("best_epoch"), static_cast<double>(lowest_epoch));
  EXPECT_NEAR(best.metrics.at("validation_loss"), lowest, 1e-6);
  EXPECT_EQ(best.state.parameters, *DecodeCheckpoint(best.last_checkpoint)->best_parameters);

  input.config.publish_last = true;
  const TrainOutcome last = Train(input, {}).value();
  EXPECT_EQ(last.state.parameters, *DecodeCheckpoint(last.last_checkpoint)->now.parameters);
  EXPECT_NE(last.state.parameters, best.state.parameters);
}

TEST(TrainOnRows, StandardizationIsFittedUnlessGiven) {
  TrainInput input = OnRows(1);
  const TrainOutcome fitted = Train(input, {}).value();
  ASSERT_FALSE(fitted.state.standardization.empty());
  EXPECT_NEAR(fitted.state.standardization.shift[0], 5, 0.1);
  EXPECT_NEAR(fitted.state.standardization.scale[0], 0.5, 0.05);

  input.start.standardization = {{1, 2}, {3, 4}};
  EXPECT_EQ(Train(input, {})->state.standardization, input.start.standardization);
  input.start.standardization = {};
  input.start.spec.standardize = false;
  EXPECT_TRUE(Train(input, {})->state.standardization.empty());
}

TEST(TrainOnRows, Float64RowsAndFlow) {
  TrainInput input = OnRows(3);
  input.rows = std::make_shared<Array>(input.rows->To(DType::kFloat64));
  const TrainOutcome narrow = Train(input, {}).value();
  EXPECT_EQ(narrow.state.parameters.dtype(), DType::kFloat32);
  input.start.spec.dtype = DType::kFloat64;
  input.start.parameters = flows::InitialParameters(input.start.spec, 1);
  const TrainOutcome wide = Train(input, {}).value();
  EXPECT_EQ(wide.state.parameters.dtype(), DType::kFloat64);
  EXPECT_NEAR(wide.metrics.at("train_loss"), narrow.metrics.at("train_loss"), 1e-2);
}

TEST(TrainOnRows, StopsEarlyWithoutABetterValidationLoss) {
  TrainInput input = OnRows(500, 60);
  input.config.learning_rate = 0.02;
  input.config.patience = 5;
  Recorder recorder;
  const TrainOutcome outcome = Train(input, recorder.callbacks()).value();
  EXPECT_LT(outcome.metrics.at("epochs"), 500);
  EXPECT_EQ(outcome.metrics.at("epochs"), outcome.metrics.at("best_epoch") + 5);
  EXPECT_THAT(recorder.messages, testing::Contains(HasSubstr("stopped early")));
}

TEST(TrainOnRows, OneEpochOneBatchOneDimension) {
  TrainInput input = OnRows(2);
  input.start = {SmallSpec(1), flows::InitialParameters(SmallSpec(1), 1), {}};
  input.rows = std::make_shared<Array>(Array::FromFloats({3, 1}, std::vector<float>{1, 2, 4}));
  input.config.batch_size = 1'000'000;
  EXPECT_TRUE(Train(input, {}).ok());
}

TEST(TrainOnTarget, ReachesTheKnownLogZ) {
  Recorder recorder;
  const TrainOutcome outcome = Train(OnTarget("gaussian", 40), recorder.callbacks()).value();
  const auto& metrics = outcome.metrics;
  EXPECT_LT(metrics.at("kl"), 0.05);
  EXPECT_GT(metrics.at("kl"), -3 * metrics.at("kl_error"));
  EXPECT_NEAR(metrics.at("kl"), metrics.at("train_loss") + metrics.at("log_z_known"), 1e-9);
  EXPECT_NEAR(metrics.at("log_z_estimate"), 0, 4 * metrics.at("log_z_error") + 1e-3);
  EXPECT_GT(metrics.at("ess_fraction"), 0.8);
  const Progress& last = recorder.epochs.back();
  ASSERT_TRUE(last.target && last.target->kl && last.target->log_z_estimate);
  EXPECT_NEAR(*last.target->kl, *last.train_loss, 0.1);
  EXPECT_GT(*last.target->ess_fraction, 0.5);
  EXPECT_FALSE(last.validation_loss);
}

TEST(TrainOnTarget, EveryTargetTrains) {
  for (const targets::Target* target : targets::AllTargets()) {
    Recorder recorder;
    const auto outcome = Train(OnTarget(target->name(), 15), recorder.callbacks());
    ASSERT_TRUE(outcome.ok()) << target->name() << outcome.status();
    EXPECT_LT(outcome->metrics.at("train_loss"), *recorder.epochs.front().train_loss)
        << target->name();
    EXPECT_GT(outcome->metrics.at("kl"), -3 * outcome->metrics.at("kl_error")) << target->name();
  }
}

struct Source {
  const char* name;
  std::function<TrainInput()> input;
};
class Resuming : public testing::TestWithParam<Source> {};
INSTANTIATE_TEST_SUITE_P(Sources, Resuming,
                         testing::Values(Source{"rows", [] { return OnRows(6); }},
                                         Source{"rows_without_validation",
                                                [] {
                                                  TrainInput input = OnRows(6);
                                                  input.config.validation_fraction = 0;
                                                  input.config.schedule = Schedule::kCosine;
                                                  return input;
                                                }},
                                         Source{"target", [] { return OnTarget("two-moons", 6); }},
                                         Source{"fixed_draws",
                                                [] {
                                                  TrainInput input = OnTarget("u3", 6);
                                                  input.config.fixed_draws = true;
                                                  input.config.drop_score = true;
                                                  return input;
                                                }}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(Resuming, EveryCheckpointLeadsToTheSameBits) {
  TrainInput input = GetParam().input();
  Recorder recorder;
  const TrainOutcome whole = Train(input, recorder.callbacks()).value();
  ASSERT_EQ(recorder.checkpoints.size(), 6u);
  EXPECT_EQ(Train(input, {})->state.parameters, whole.state.parameters);
  for (const std::string& checkpoint : recorder.checkpoints) {
    input.checkpoint = checkpoint;
    const TrainOutcome resumed = Train(input, {}).value();
    EXPECT_EQ(resumed.state.parameters, whole.state.parameters);
    EXPECT_EQ(resumed.state.standardization, whole.state.standardization);
    EXPECT_EQ(resumed.metrics.at("train_loss"), whole.metrics.at("train_loss"));
  }
}

TEST_P(Resuming, APauseAnywhereLeadsToTheSameBits) {
  TrainInput input = GetParam().input();
  const TrainOutcome whole = Train(input, {}).value();
  for (int64_t step : {0, 1, 9, 13, 20}) {
    input.checkpoint.clear();
    Recorder recorder;
    const TrainOutcome paused = Train(input, recorder.StoppingAfter(step, Signal::kPause)).value();
    ASSERT_EQ(paused.stopped_by, Signal::kPause);
    ASSERT_FALSE(recorder.checkpoints.empty());
    EXPECT_EQ(recorder.checkpoints.back(), paused.last_checkpoint);
    EXPECT_EQ(recorder.signals, step + 1);
    input.checkpoint = paused.last_checkpoint;
    EXPECT_EQ(Train(input, {})->state.parameters, whole.state.parameters) << step;
  }
}

TEST_P(Resuming, CancelStopsAtOnceWithoutACheckpoint) {
  Recorder recorder;
  TrainCallbacks callbacks = recorder.StoppingAfter(2, Signal::kCancel);
  const TrainOutcome outcome = Train(GetParam().input(), callbacks).value();
  EXPECT_EQ(outcome.stopped_by, Signal::kCancel);
  EXPECT_EQ(recorder.signals, 3);
  EXPECT_THAT(recorder.checkpoints, IsEmpty());
  EXPECT_THAT(recorder.epochs, IsEmpty());
}

TEST_P(Resuming, AnotherSeedGivesOtherBits) {
  TrainInput input = GetParam().input();
  const Array first = Train(input, {})->state.parameters;
  input.config.seed = 1;
  EXPECT_NE(Train(input, {})->state.parameters, first);
}

// Without shuffling, five epochs and then five more are ten: the optimiser's state
// went along.
TEST(ContinueFrom, KeepsParametersAndOptimizer) {
  TrainInput input = OnRows(10);
  input.config.shuffle = false;
  input.config.publish_last = true;
  const TrainOutcome whole = Train(input, {}).value();
  input.config.epochs = 5;
  input.continue_from = Train(input, {})->last_checkpoint;
  const TrainOutcome second = Train(input, {}).value();
  EXPECT_EQ(second.state.parameters, whole.state.parameters);
  EXPECT_EQ(second.state.standardization, whole.state.standardization);
  EXPECT_EQ(second.metrics.at("epochs"), 5);

  input.continue_from.clear();
  input.start = Train(input, {})->state;
  EXPECT_NE(Train(input, {})->state.parameters, whole.state.parameters);
}

TEST(Train, SnapshotsAtTheirEpochs) {
  TrainInput input = OnRows(9);
  input.config.snapshots = 4;
  Recorder recorder;
  ASSERT_TRUE(Train(input, recorder.callbacks()).ok());
  EXPECT_EQ(recorder.snapshots, SnapshotEpochs(input.config));
}

TEST(Train, AFailedCallbackEndsItWithItsStatus) {
  for (int which : {0, 1, 2}) {
    TrainCallbacks callbacks;
    callbacks.checkpoint_interval = absl::ZeroDuration();
    const auto fail = [](auto&&...) { return absl::DataLossError("disk full"); };
    if (which == 0) callbacks.on_progress = fail;
    if (which == 1) callbacks.on_checkpoint = fail;
    if (which == 2) callbacks.on_snapshot = fail;
    EXPECT_EQ(Train(OnRows(3), callbacks).status(), absl::DataLossError("disk full")) << which;
  }
}

struct BadInput {
  const char* says;
  std::function<void(TrainInput&)> spoil;
};

TEST(Train, BadInputIsInvalidArgument) {
  const std::vector<BadInput> table = {
      {"rows or a target", [](TrainInput& i) { i.rows = nullptr; }},
      {"funnel-5",
       [](TrainInput& i) { i.rows = nullptr, i.target = *targets::FindTarget("funnel-5"); }},
      {"columns",
       [](TrainInput& i) {
         i.rows = std::make_shared<Array>(DType::kFloat32, std::vector<int64_t>{10, 3});
       }},
      {"too few rows", [](TrainInput& i) { i.rows = std::make_shared<Array>(i.rows->Rows(0, 2)); }},
      {"too few rows",
       [](TrainInput& i) {
         i.rows = std::make_shared<Array>(DType::kFloat32, std::vector<int64_t>{0, 2});
       }},
      {"column 0",
       [](TrainInput& i) {
         i.rows = std::make_shared<Array>(DType::kFloat32, std::vector<int64_t>{10, 2});
       }},
      {"learning_rate", [](TrainInput& i) { i.config.learning_rate = -1; }},
      {"parameters", [](TrainInput& i) { i.start.parameters = Array(DType::kFloat32, {5}); }},
      {"standardization",
       [](TrainInput& i) {
         i.start.standardization = {{1}, {1}};
       }},
      {"layers", [](TrainInput& i) { i.start.spec.layers = 0; }},
      {"", [](TrainInput& i) { i.checkpoint = "garbage"; }},
      {"", [](TrainInput& i) { i.continue_from = "garbage"; }},
  };
  for (const BadInput& bad : table) {
    TrainInput input = OnRows(2);
    bad.spoil(input);
    const absl::Status status = Train(input, {}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad.says;
    EXPECT_THAT(std::string(status.message()), HasSubstr(bad.says));
  }
}

TEST(Train, CheckpointsOfOtherRunsAreRefused) {
  TrainInput input = OnRows(2);
  input.checkpoint = Train(input, {})->last_checkpoint;
  EXPECT_TRUE(Train(input, {}).ok());
  input.config.seed = 3;
  EXPECT_THAT(std::string(Train(input, {}).status().message()), HasSubstr("other settings"));
  TrainInput other = OnRows(2);
  other.start.spec.scale_bound = 1;
  other.continue_from = input.checkpoint;
  EXPECT_THAT(std::string(Train(other, {}).status().message()), HasSubstr("another spec"));
}

}  // namespace
}  // namespace sluiced::training
