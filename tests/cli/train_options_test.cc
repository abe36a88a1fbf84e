#include "client/cli/commands/train_options.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::cli {
namespace {

TrainOptions Parsed(std::vector<std::string> arguments) {
  TrainOptions options;
  CLI::App app;
  AddTrainOptions(app, &options);
  std::reverse(arguments.begin(), arguments.end());
  app.parse(arguments);
  return options;
}

TEST(TrainOptions, ReadTheSeedsStages) {
  const Result<TrainConfig> config = Parsed({"--stages", "100:1e-3,100:3e-4,50:1e-4"}).ToConfig();
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->schedule, Schedule::kStages);
  ASSERT_EQ(config->stages.size(), 3u);
  EXPECT_EQ(config->stages[1].epochs, 100);
  EXPECT_DOUBLE_EQ(config->stages[1].learning_rate, 3e-4);
}

TEST(TrainOptions, RefuseMalformedTexts) {
  for (const char* stages : {"100", "100:", ":1e-3", "a:b", "100:1e-3;100:1e-4", "1:2:3", ","}) {
    EXPECT_FALSE(Parsed({"--stages", stages}).ToConfig().ok()) << stages;
  }
  for (const char* betas : {"0.9", "0.9,", "0.9,0.99,0.999", "x,y"}) {
    EXPECT_FALSE(Parsed({"--betas", betas}).ToConfig().ok()) << betas;
  }
}

TEST(TrainOptions, LeaveUnsaidWhatIsNotSaid) {
  const Result<TrainConfig> config = Parsed({}).ToConfig();
  ASSERT_TRUE(config.ok());
  EXPECT_FALSE(config->learning_rate || config->schedule || config->shuffle || config->clip_norm);
  EXPECT_EQ(config->epochs, 0);
}

TEST(TrainOptions, ContinueTakesAJobOnlyAfterAnEqualsSign) {
  EXPECT_EQ(Parsed({}).continue_from, "");
  EXPECT_EQ(Parsed({"--continue"}).continue_from, kContinueLatest);
  EXPECT_EQ(Parsed({"--continue=job-7"}).continue_from, "job-7");
}

TEST(TrainOptions, NegativeNumbersAreValues) {
  EXPECT_EQ(Parsed({"--snapshots", "-1"}).ToConfig()->snapshots, -1);
}

TEST(TrainOptions, NoSnapshotsAreNotTheDefault) {
  EXPECT_EQ(Parsed({}).ToConfig()->snapshots, 0);
  EXPECT_EQ(Parsed({"--snapshots", "0"}).ToConfig()->snapshots, -1);
}

TEST(TrainOptions, AnExplicitZeroIsNoDefault) {
  for (const char* option : {"--epochs", "--batch-size", "--rows", "--step-epochs"}) {
    EXPECT_THROW(Parsed({option, "0"}), CLI::ValidationError) << option;
    EXPECT_THROW(Parsed({option, "-3"}), CLI::ValidationError) << option;
  }
}

}  // namespace
}  // namespace sluice::cli
