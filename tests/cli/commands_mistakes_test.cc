// What a command line gets that is wrong, or that meets trouble on its way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/exit_code.h"
#include "client/cli/files/table_file.h"
#include "tests/cli/commands_fixture.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(Commands, NumbersAreExactOrRefusedByName) {
  const std::pair<const char*, const char*> cases[] = {
      {"sample wow -n 99999999999999999999", "--rows: '99999999999999999999' is out of range"},
      {"sample wow -n ''", "--rows: '' is not a whole number"},
      {"sample wow --seed -1", "--seed: '-1' is not a whole number from 0 on"},
      {"sample wow --seed 18446744073709551616", "--seed: '18446744073709551616' is out of range"},
      {"train wow --dataset wow --epochs 0", "--epochs: '0' is too few"},
      {"train wow --dataset wow --epochs -3", "--epochs: '-3' is too few"},
      {"train wow --dataset wow --batch-size 0", "--batch-size: '0' is too few"},
      {"train wow --dataset wow --lr nan", "--lr: 'nan' is not a number"},
      {"train wow --dataset wow --rows 7", "--rows goes with --target"},
      {"train moons --target seed-moons --validation-fraction 0.1", "--validation-fraction goes"},
      {"model create zero --dim 2 --layers 0", "--layers: '0' is too few"},
      {"model create zero --dim 0", "--dim: '0' is too few"},
      {"dataset generate zero --toy moons --rows 0", "--rows: '0' is too few"},
      {"health --server http://127.0.0.1:50051", "not HOST:PORT"},
      {"health --server foo", "not HOST:PORT"},
      {"sampel wow", "'sampel' is unknown; did you mean 'sample'?"},
      {"job wtach x", "did you mean 'watch'?"},
  };
  for (const auto& [arguments, says] : cases) {
    const Ran ran = Sluice(arguments);
    EXPECT_EQ(ran.code, kExitUsage) << arguments;
    EXPECT_THAT(ran.err, HasSubstr(says)) << arguments;
  }
}

TEST_F(Commands, ARefusedTrainingLeavesNoModelBehind) {
  const Ran ran = Sluice("train fresh --dataset wow --batch-size 100000000000");
  EXPECT_EQ(ran.code, kExitError);
  EXPECT_THAT(ran.err, HasSubstr("model fresh did not exist: created"));
  EXPECT_THAT(ran.err, HasSubstr("model fresh removed again"));
  EXPECT_THAT(ran.err, HasSubstr("INVALID_ARGUMENT"));
  EXPECT_EQ(Sluice("train fresh --dataset wow --epochs 1 --continue").code, kExitError);
  EXPECT_EQ(Sluice("model get fresh").code, kExitError);
  // One that was there stays.
  EXPECT_EQ(Sluice("train wow --dataset wow --batch-size 100000000000").code, kExitError);
  ExpectOk("model get wow");
}

TEST_F(Commands, ASampleThatFitsNowhereIsRefusedAtOnceAndLeavesNoFile) {
  const Ran ran = Sluice("sample wow -n 1000000000000000000 -o endless.npy");
  EXPECT_EQ(ran.code, kExitError);
  EXPECT_THAT(ran.err, HasSubstr("1,000,000,000,000,000,000 rows of 2 numbers"));
  EXPECT_THAT(Sluice("sample wow -n 9223372036854775807 -o endless.npy").err,
              HasSubstr("overflows"));
  for (const auto& entry : std::filesystem::directory_iterator(File(""))) {
    EXPECT_THAT(entry.path().string(), Not(HasSubstr("endless")));
  }
}

TEST_F(Commands, ALargeSampleIsTheSameRowsAsSmallOnes) {
  ExpectOk("sample wow -n 300000 --seed 5 --log-prob -o large.npy");
  ExpectOk("sample wow -n 700 --seed 5 --first-row 299300 --log-prob -o tail.npy");
  const Result<Matrix> large = ReadTable(File("large.npy"), "");
  const Result<Matrix> tail = ReadTable(File("tail.npy"), "");
  ASSERT_TRUE(large.ok() && tail.ok());
  ASSERT_EQ(large->rows, 300000);
  ASSERT_EQ(large->cols, 3);
  for (int64_t row = 0; row < 700; ++row) {
    for (int64_t col = 0; col < 3; ++col) {
      EXPECT_EQ((*large)(299300 + row, col), (*tail)(row, col)) << row;
    }
  }
  ExpectOk("sample wow -n 0 -o none.npy");
  EXPECT_EQ(ReadTable(File("none.npy"), "")->cols, 2);
}

TEST_F(Commands, AnInterruptedSampleLeavesNoFile) {
  Background sample(
      {"sample", "wow", "-n", "1000000000", "-o", File("cut.npy"), "--server", server_->address()},
      File("cut.err"));
  const auto part = [] {
    for (const auto& entry : std::filesystem::directory_iterator(File(""))) {
      if (entry.path().string().find("cut.npy.part") == std::string::npos) continue;
      std::error_code gone;
      if (entry.file_size(gone) > 1000 && !gone) return true;
    }
    return false;
  };
  while (!part()) {
  }
  sample.Signal(SIGINT);
  EXPECT_EQ(sample.Wait(), kExitInterrupted);
  EXPECT_THAT(sample.Err(), HasSubstr("was not written"));
  EXPECT_FALSE(part());
  EXPECT_FALSE(std::filesystem::exists(File("cut.npy")));
}

TEST_F(Commands, ErrorsSpeakOfTheFileOnTheCommandLine) {
  EXPECT_THAT(Sluice("dataset upload bad -", "printf 'a,b\\n1,hello\\n'").err,
              HasSubstr("standard stream: csv: line 2, column 2: 'hello'"));
  EXPECT_THAT(Sluice("dataset upload bad missing.csv").err,
              HasSubstr("missing.csv: No such file or directory"));
  EXPECT_THAT(Sluice("log-prob wow --in -").err, HasSubstr("standard stream: it is empty"));
  EXPECT_THAT(Sluice("sample wow -n 3 -o file.xyz").err, HasSubstr("--format-out"));
  EXPECT_THAT(Sluice("sample wow -n 3 -o /dev/full --format-out csv").err,
              HasSubstr("RESOURCE_EXHAUSTED: /dev/full: cannot be written"));
  ExpectOk("sample wow -n 3 -o /dev/null --format-out csv");
}

TEST_F(Commands, LossesArePlottedByTheModelsNameToo) {
  ExpectOk("plot loss wow@1 -o by-model.png");
  ExpectStartsWith("by-model.png", "\x89PNG");
  EXPECT_THAT(Sluice("plot loss none -o none.png").err, HasSubstr("trainJobs/none"));
}

TEST_F(Commands, SnapshotsAreListedAndTheNearestOnesNamed) {
  EXPECT_THAT(Sluice("job get first").out, HasSubstr("of epochs 1, 2, 3, 4"));
  const Ran ran = Sluice("sample first#9");
  EXPECT_EQ(ran.code, kExitError);
  EXPECT_THAT(ran.err, HasSubstr("the nearest there are: 4"));
}

TEST_F(Commands, WarningsOfATrainingStandInItsSummary) {
  ASSERT_EQ(Sluice("dataset upload same -", "yes 1,2 | head -50").code, kExitOk);
  const std::string train = "train same --dataset same --no-standardize --epochs 1 ";
  const Ran refused = Sluice(train);
  EXPECT_EQ(refused.code, kExitJobFailed);
  EXPECT_THAT(refused.err, HasSubstr("column 0 is constant (1): the likelihood grows without "
                                     "bound; drop it"));
  EXPECT_THAT(refused.err, HasSubstr("`sluice model delete same` before other options"));
  const Ran ran = Sluice(train + "--batch-size 999 --degenerate allow");
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  const size_t summary = ran.err.find("SUCCEEDED");
  ASSERT_NE(summary, std::string::npos);
  for (const char* warning : {"warning: only 2% of the rows are distinct",
                              "warning: a batch of 999 rows is more than the 50 there are"}) {
    EXPECT_LT(ran.err.find(warning), summary) << ran.err;
    EXPECT_NE(ran.err.find(warning, summary), std::string::npos) << ran.err;
  }
}

TEST_F(Commands, TheServersLogTellsOfJobs) {
  EXPECT_THAT(server_->Log(), HasSubstr("trainJobs/first starts: models/wow on datasets/wow"));
  EXPECT_THAT(server_->Log(), HasSubstr("trainJobs/first SUCCEEDED"));
  ExpectOk("train wow --dataset wow --epochs 100000 --detach --job stopped");
  ASSERT_TRUE(AwaitOutput("job get stopped", "progress"));
  ExpectOk("job cancel stopped");
  EXPECT_EQ(Sluice("job watch stopped").code, kExitJobFailed);
  EXPECT_THAT(server_->Log(), HasSubstr("trainJobs/stopped CANCELLED"));
}

TEST_F(Commands, AWatchSaysWhenTheServerIsGoneAndWhenItIsBack) {
  sluice::testing::ServerProcess server;
  const std::string data = File("restarted");
  ASSERT_TRUE(server.Start({.data_dir = data})) << server.Log();
  const int port = server.port();
  const std::string at = " --server " + server.address();
  ExpectOk("dataset generate d --toy moons --rows 500" + at);
  ExpectOk("train m --dataset d --epochs 1000000 --detach --job j" + at);
  Background watch({"job", "watch", "j", "--server", server.address()}, File("watch.err"));
  Background leaver({"job", "watch", "j", "--server", server.address()}, File("leaver.err"));
  ASSERT_TRUE(watch.AwaitErr("epoch "));
  ASSERT_TRUE(leaver.AwaitErr("epoch "));
  server.Kill();
  ASSERT_TRUE(watch.AwaitErr("connection to " + server.address() + " lost")) << watch.Err();
  ASSERT_TRUE(leaver.AwaitErr("lost"));
  leaver.Signal(SIGINT);
  EXPECT_EQ(leaver.Wait(), kExitInterrupted);
  EXPECT_THAT(leaver.Err(), HasSubstr("the server does not answer. The job goes on when it is"));
  ASSERT_TRUE(server.Start({.data_dir = data, .port = port})) << server.Log();
  ASSERT_TRUE(watch.AwaitErr("answers again")) << watch.Err();
  ASSERT_TRUE(watch.AwaitErr("j: attempt 2")) << watch.Err();
  ExpectOk("job cancel j" + at);
  EXPECT_EQ(watch.Wait(), kExitJobFailed);
  EXPECT_THAT(server.Log(), HasSubstr("trainJobs/j "));
}

}  // namespace
}  // namespace sluice::cli
