// Settings, schedules and progress: no LibTorch in any of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "server/common/errors.h"
#include "server/training/progress.h"
#include "server/training/train_config.h"

namespace sluiced::training {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

struct BadSetting {
  const char* field;
  std::function<void(TrainConfig&)> spoil;
  Objective objective = Objective::kMaximumLikelihood;
};

TEST(TrainConfig, DefaultsAreValid) {
  EXPECT_TRUE(Validate({}, Objective::kMaximumLikelihood).ok());
  EXPECT_TRUE(Validate({}, Objective::kReverseKl).ok());
}

TEST(TrainConfig, EveryBadFieldIsNamed) {
  const auto stages = [](std::vector<Stage> list) {
    return [list](TrainConfig& c) { c.schedule = Schedule::kStages, c.stages = list; };
  };
  const std::vector<BadSetting> table = {
      {"epochs", [](TrainConfig& c) { c.epochs = 0; }},
      {"epochs", [](TrainConfig& c) { c.epochs = std::numeric_limits<int64_t>::max(); }},
      {"batch_size", [](TrainConfig& c) { c.batch_size = 0; }},
      {"batch_size", [](TrainConfig& c) { c.batch_size = -5; }},
      {"learning_rate", [](TrainConfig& c) { c.learning_rate = 0; }},
      {"learning_rate", [](TrainConfig& c) { c.learning_rate = kNaN; }},
      {"learning_rate", [](TrainConfig& c) { c.learning_rate = kInf; }},
      {"beta1", [](TrainConfig& c) { c.beta1 = 1; }},
      {"beta2", [](TrainConfig& c) { c.beta2 = -0.1; }},
      {"epsilon", [](TrainConfig& c) { c.epsilon = 0; }},
      {"weight_decay", [](TrainConfig& c) { c.weight_decay = -1; }},
      {"clip_norm", [](TrainConfig& c) { c.clip_norm = kNaN; }},
      {"validation_fraction", [](TrainConfig& c) { c.validation_fraction = 1; }},
      {"validation_fraction", [](TrainConfig& c) { c.validation_fraction = -0.1; }},
      {"patience", [](TrainConfig& c) { c.patience = -1; }},
      {"snapshots", [](TrainConfig& c) { c.snapshots = -2; }},
      {"snapshots", [](TrainConfig& c) { c.snapshots = 1'000'000'000; }},
      {"rows", [](TrainConfig& c) { c.rows = 0; }, Objective::kReverseKl},
      {"step_epochs", [](TrainConfig& c) { c.schedule = Schedule::kSteps; }},
      {"final_learning_rate",
       [](TrainConfig& c) { c.schedule = Schedule::kCosine, c.final_learning_rate = -1; }},
      {"stages", stages({})},
      {"stages",
       [](TrainConfig& c) {
         c.stages = {{1, 1e-3}};
       }},
      {"stages[1].epochs", stages({{1, 1e-3}, {0, 1e-3}})},
      {"stages[1].epochs",
       stages({{1'000'000, 1e-3}, {std::numeric_limits<int64_t>::max(), 1e-3}})},
      {"stages[0].learning_rate", stages({{1, 0}})},
  };
  for (const BadSetting& bad : table) {
    TrainConfig config;
    bad.spoil(config);
    const absl::Status status = Validate(config, bad.objective);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad.field;
    EXPECT_EQ(FieldOf(status), bad.field);
  }
}

TEST(TrainConfig, JsonRoundTrip) {
  TrainConfig config;
  config.optimizer = Optimizer::kAdamW;
  config.schedule = Schedule::kStages;
  config.stages = {{100, 1e-3}, {7, 1.0 / 3}};
  config.seed = std::numeric_limits<uint64_t>::max();
  config.learning_rate = 0.1 + 0.2;
  config.fixed_draws = true;
  config.snapshots = -1;
  EXPECT_EQ(ConfigFromJson(ToJson(config)).value(), config);
  EXPECT_EQ(ConfigFromJson("{}").value(), TrainConfig());
}

TEST(TrainConfig, BrokenJsonIsAnError) {
  for (const char* text : {"", "{", "[]", "3", "null", R"({"epochs": "many"})",
                           R"({"optimizer": "sgd"})", R"({"stages": [1]})", R"({"stages": 1})"}) {
    EXPECT_EQ(ConfigFromJson(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(LearningRate, FollowsItsSchedule) {
  TrainConfig config;
  config.epochs = 10;
  config.learning_rate = 1;
  EXPECT_EQ(LearningRateAt(config, 99, 10), 1);

  config.schedule = Schedule::kCosine;
  config.final_learning_rate = 0.2;
  EXPECT_DOUBLE_EQ(LearningRateAt(config, 0, 11), 1);
  EXPECT_DOUBLE_EQ(LearningRateAt(config, 109, 11), 0.2);
  EXPECT_NEAR(LearningRateAt(config, 54, 11), 0.6, 0.01);
  EXPECT_GT(LearningRateAt(config, 10, 11), LearningRateAt(config, 11, 11));

  config.schedule = Schedule::kSteps;
  config.step_epochs = 3;
  config.step_factor = 0.5;
  EXPECT_EQ(LearningRateAt(config, 29, 10), 1);
  EXPECT_EQ(LearningRateAt(config, 30, 10), 0.5);
  EXPECT_EQ(LearningRateAt(config, 95, 10), 0.125);
}

TEST(LearningRate, CosineOfASingleStepIsTheRate) {
  TrainConfig config;
  config.epochs = 1;
  config.schedule = Schedule::kCosine;
  EXPECT_EQ(LearningRateAt(config, 0, 1), config.learning_rate);
}

TEST(LearningRate, StagesOfTheSeed) {
  TrainConfig config;
  config.schedule = Schedule::kStages;
  config.stages = {{100, 1e-3}, {100, 3e-4}, {100, 1e-4}};
  EXPECT_EQ(TotalEpochs(config), 300);
  EXPECT_EQ(LearningRateAt(config, 99 * 5 + 4, 5), 1e-3);
  EXPECT_EQ(LearningRateAt(config, 100 * 5, 5), 3e-4);
  EXPECT_EQ(LearningRateAt(config, 200 * 5, 5), 1e-4);
  EXPECT_EQ(LearningRateAt(config, 1000 * 5, 5), 1e-4);
}

TEST(Snapshots, AreAtMostAsManyRisingAndEndWithTheLast) {
  for (int64_t epochs : {1, 2, 7, 100, 600, 100000}) {
    for (int64_t snapshots : {1, 2, 40, 1000}) {
      TrainConfig config;
      config.epochs = epochs;
      config.snapshots = snapshots;
      const std::vector<int64_t> kept = SnapshotEpochs(config);
      ASSERT_FALSE(kept.empty());
      EXPECT_LE(static_cast<int64_t>(kept.size()), snapshots);
      EXPECT_GE(kept.front(), 1);
      EXPECT_EQ(kept.back(), epochs);
      for (size_t i = 1; i < kept.size(); ++i) EXPECT_LT(kept[i - 1], kept[i]);
    }
  }
}

TEST(Snapshots, AreDenserAtTheStartAndNoneWhereNotWanted) {
  TrainConfig config;
  config.epochs = 600;
  const std::vector<int64_t> kept = SnapshotEpochs(config);
  EXPECT_LE(kept[1] - kept[0], 3);
  EXPECT_GE(kept.back() - kept[kept.size() - 2], 15);
  config.snapshots = -1;
  EXPECT_THAT(SnapshotEpochs(config), testing::IsEmpty());
}

TEST(Progress, JsonRoundTrip) {
  Progress progress;
  progress.epoch = 3;
  progress.epochs = 600;
  progress.step = 60;
  progress.train_loss = 3.25;
  progress.best_loss = kInf;
  progress.best_epoch = 2;
  progress.learning_rate = 1e-3;
  progress.gradient_norm = 0.1 + 0.2;
  progress.rows_per_second = 1e5;
  progress.seconds_left = 12.5;
  TargetProgress& target = progress.target.emplace();
  target.kl = 0.1;
  target.ess_fraction = 0.9;
  target.log_z_known = -kInf;
  const Progress back = ProgressFromJson(ToJson(progress)).value();
  EXPECT_EQ(ToJson(back), ToJson(progress));
  EXPECT_EQ(back.train_loss, 3.25);
  EXPECT_EQ(back.best_loss, kInf);
  EXPECT_EQ(back.gradient_norm, 0.1 + 0.2);
  EXPECT_FALSE(back.validation_loss);
  EXPECT_EQ(back.target->kl, 0.1);
  EXPECT_EQ(back.target->log_z_known, -kInf);
  EXPECT_FALSE(back.target->log_z_error);
}

TEST(Progress, MessageAloneAndBrokenJson) {
  Progress event;
  event.message = "rolled back \"\xff\n";
  const Progress back = ProgressFromJson(ToJson(event)).value();
  EXPECT_EQ(back.epoch, 0);
  EXPECT_THAT(back.message, testing::StartsWith("rolled back \""));
  EXPECT_FALSE(back.target);
  for (const char* text : {"", "[]", R"({"epoch": "x"})", R"({"target": 1.5, "epoch": []})"}) {
    EXPECT_FALSE(ProgressFromJson(text).ok()) << text;
  }
}

}  // namespace
}  // namespace sluiced::training
