// Every command line that the README and `sluice --help` promise, against a real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "client/cli/exit_code.h"
#include "client/cli/files/table_file.h"
#include "tests/cli/commands_fixture.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(Commands, HealthIsSilentOnStderr) {
  const Ran ran = Sluice("health");
  EXPECT_EQ(ran.code, kExitOk);
  EXPECT_EQ(ran.out, "serving\n");
  EXPECT_THAT(ran.err, IsEmpty());
}

TEST_F(Commands, ABackupIsAFileForItsOwner) {
  EXPECT_THAT(Sluice("backup all.backup").err, HasSubstr("of backup; sluiced --restore takes it"));
  ExpectStartsWith("all.backup", "SQLite format 3");
  EXPECT_EQ(std::filesystem::status(File("all.backup")).permissions(),
            std::filesystem::perms(0600));
  ExpectOk("backup all.backup");  // Yesterday's is replaced by a whole one.
  const Ran piped = Sluice("backup - | wc -c");
  EXPECT_GT(std::stoll(piped.out), 4096);
  const Ran lost = Sluice("backup no/such/directory/file");
  EXPECT_EQ(lost.code, kExitError);
  EXPECT_THAT(lost.err, HasSubstr("no/such/directory/file"));
  EXPECT_EQ(Sluice("backup").code, kExitUsage);
}

TEST_F(Commands, DatasetsComeAndGo) {
  ExpectOk("dataset generate roll --toy swiss-roll --rows 500");
  ExpectOk("dataset download wow -o wow.npy");
  ExpectOk("dataset upload mine wow.npy --description 'my rows'");
  ExpectOk("dataset upload datasets/named wow.npy");
  EXPECT_EQ(Sluice("dataset upload piped -", "printf 'a,b\\n1,2\\n3,4\\n'").code, kExitOk);
  EXPECT_EQ(Sluice("dataset upload binary -", "cat wow.npy").code, kExitOk);
  EXPECT_EQ(Sluice("dataset download piped").out, "a,b\n1,2\n3,4\n");
  EXPECT_THAT(Sluice("dataset list").out, HasSubstr("mine"));
  EXPECT_THAT(Sluice("dataset get mine").out, HasSubstr("my rows"));
  EXPECT_THAT(Sluice("dataset toys").out, HasSubstr("swiss-roll"));
  const auto json = nlohmann::json::parse(Sluice("dataset get wow --format json").out);
  EXPECT_EQ(json["rows"], 600);
  EXPECT_EQ(json["source"], "text WOW seed 0");
  const Ran drawn = Sluice("dataset generate lobes --target ring --rows 300 --seed 1");
  EXPECT_THAT(drawn.err, HasSubstr("found on the way (known: 0.0000)"));
  EXPECT_THAT(Sluice("dataset get lobes").out, HasSubstr("generate target ring rows=300 seed=1"));
  EXPECT_THAT(Sluice("dataset generate late --target ring --rows 200000 --timeout 0.2").err,
              HasSubstr("--timeout SECONDS waits longer"));
  EXPECT_EQ(Sluice("dataset get late").code, kExitError);
  ExpectOk("dataset delete piped");
  EXPECT_EQ(Sluice("dataset get piped").code, kExitError);
}

TEST_F(Commands, ModelsComeAndGo) {
  ExpectOk(
      "model create made --arch real-nvp --dim 2 --layers 8 --hidden 32 --seed 2 --label a=b "
      "--dtype float64 --scale-bound 0 --no-standardize --init uniform --description 'x y'");
  EXPECT_THAT(Sluice("model get made").out, HasSubstr("a=b"));
  EXPECT_THAT(Sluice("model get made").out, HasSubstr("engine"));
  ExpectOk("model create reference --dim 2 --executor torch");
  EXPECT_THAT(Sluice("model get reference").out, HasSubstr("torch"));
  ExpectOk("model import seed " SLUICE_TEST_DATA "/parity/d2_l8_h32_f32.weights.safetensors");
  ExpectOk("model export wow -o wow.safetensors");
  ExpectOk("model import again wow.safetensors");
  EXPECT_EQ(Sluice("sample again -n 3 --seed 1").out, Sluice("sample wow -n 3 --seed 1").out);
  EXPECT_THAT(Sluice("model list").out, HasSubstr("again"));
  EXPECT_THAT(Sluice("model versions wow").out, HasSubstr("first"));
  ExpectOk("model alias wow good 1");
  EXPECT_THAT(Sluice("model get wow@good").out, HasSubstr("datasets/wow"));
  ExpectOk("model alias wow good --delete");
  ExpectOk("model update made --description new --label c=d");
  EXPECT_THAT(Sluice("model get made").out, HasSubstr("c=d"));
  ExpectOk("model delete made");
  const Ran gone = Sluice("model get made");
  EXPECT_EQ(gone.code, kExitError);
  EXPECT_THAT(gone.err, StartsWith("sluice: NOT_FOUND: "));
}

TEST_F(Commands, WarningsOfAModelGoToStderr) {
  const Ran ran = Sluice("model create flat --dim 1");
  EXPECT_EQ(ran.code, kExitOk);
  EXPECT_THAT(ran.err, HasSubstr("warning: "));
  EXPECT_THAT(ran.out, IsEmpty());
}

TEST_F(Commands, TrainingIsPlainLinesWhenPiped) {
  const Ran ran = Sluice("train wow --dataset wow --epochs 3 --batch-size 256 --lr 1e-3");
  EXPECT_EQ(ran.code, kExitOk);
  EXPECT_THAT(ran.out, IsEmpty());
  EXPECT_THAT(ran.err, HasSubstr("epoch 3/3"));
  EXPECT_THAT(ran.err, HasSubstr("SUCCEEDED: published wow@"));
  EXPECT_THAT(ran.err, HasSubstr("best validation loss"));
  EXPECT_THAT(ran.err, Not(HasSubstr("\x1b")));
}

TEST_F(Commands, ANewModelTakesOverTheFlowThatItStartsFrom) {
  ExpectOk("model create parent --dim 2 --arch nice --layers 3 --hidden 7 --seed 4");
  ExpectOk("train heir --dataset wow --start-from parent --epochs 1");
  EXPECT_THAT(Sluice("model get heir").out, HasSubstr("nice, dim 2, layers 3, hidden 7"));
  EXPECT_EQ(Sluice("train stranger --dataset wow --start-from parent --arch nice").code,
            kExitError);
}

TEST_F(Commands, TargetsReportTheirKl) {
  const Ran ran = Sluice(
      "train moons --target seed-moons --rows 500 --batch-size 128 --layers 4 --hidden 8 "
      "--stages 2:1e-3,2:3e-4,1:1e-4");
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("model moons did not exist: created"));
  EXPECT_THAT(ran.err, HasSubstr("KL(flow || target)"));
  EXPECT_THAT(ran.err, HasSubstr("known: 1.8379"));
  ExpectOk("plot target seed-moons --model moons -o moons.png");
  ExpectOk("plot film moons -o moons.gif");
  ExpectStartsWith("moons.png", "\x89PNG");
}

TEST_F(Commands, ADetachedJobIsNamedAloneOnStdout) {
  const Ran ran = Sluice("train wow --dataset wow --epochs 100000 --detach --job long");
  EXPECT_EQ(ran.out, "long\n");
  EXPECT_THAT(Sluice("job list").out, HasSubstr("long"));
  EXPECT_THAT(Sluice("job get trainJobs/long").out, HasSubstr("dataset wow"));
  ASSERT_TRUE(AwaitOutput("job get long", "progress"));
  ExpectOk("job pause long");
  ASSERT_TRUE(AwaitOutput("job get long", "PAUSED"));
  EXPECT_THAT(Sluice("job get long").out, HasSubstr("progress")) << "a paused job keeps it";
  ExpectOk("job resume long");
  ExpectOk("job cancel long");
  const Ran ended = Sluice("job watch long");
  EXPECT_EQ(ended.code, kExitJobFailed);
  EXPECT_THAT(ended.err, HasSubstr("CANCELLED"));
  ExpectOk("job delete long");
  const Ran json =
      Sluice("--format json train wow --dataset wow --epochs 1 --detach --job described");
  EXPECT_THAT(json.out, ::testing::AllOf(StartsWith("{"), HasSubstr("\"described\"")));
}

TEST_F(Commands, ContinuingTakesUpTheLastJob) {
  ExpectOk("train wow --dataset wow --epochs 2 --continue=first");
  ExpectOk("train wow --dataset wow --epochs 2 --continue");
  EXPECT_EQ(Sluice("train wow --dataset wow --epochs 2 --continue=none").code, kExitError);
}

TEST_F(Commands, PointsGoThroughAModelAndBack) {
  ExpectOk("sample wow -n 1000 --seed 1 -o points.npy");
  EXPECT_EQ(ReadTable(File("points.npy"), "")->rows, 1000);
  ExpectOk("sample wow@1 -n 10 --log-prob -o points.csv");
  EXPECT_EQ(ReadTable(File("points.csv"), "")->cols, 3);
  ExpectOk("log-prob wow --in points.npy -o scores.npy");
  EXPECT_EQ(ReadTable(File("scores.npy"), "")->cols, 1);
  ExpectOk("transform wow --to-base --in points.npy -o z.npy --layers layers.npy --ladj l.csv");
  ExpectOk("transform wow --from-base --in z.npy -o back.npy");
  const Result<Matrix> points = ReadTable(File("points.npy"), "");
  const Result<Matrix> back = ReadTable(File("back.npy"), "");
  ASSERT_TRUE(points.ok() && back.ok());
  for (size_t i = 0; i < points->values.size(); ++i) {
    EXPECT_NEAR(back->values[i], points->values[i], 1e-3);
  }
  const Ran piped = Sluice("log-prob wow --in -", "printf '0,0\\n1,1\\n'");
  EXPECT_EQ(piped.code, kExitOk);
  EXPECT_THAT(piped.out, StartsWith("log_prob\n-"));
}

TEST_F(Commands, PicturesOfEveryKind) {
  ExpectOk("plot loss first -o loss.png");
  ExpectOk("plot density wow -o density.png");
  ExpectOk("plot density first#4 -o snapshot.png");
  ExpectOk("plot film wow --job first -o wow.gif");
  ExpectOk("plot target u3 -o u3.png");
  for (const char* file : {"loss.png", "density.png", "snapshot.png", "u3.png"}) {
    ExpectStartsWith(file, "\x89PNG");
  }
  ExpectStartsWith("wow.gif", "GIF89a");
  ExpectOk("dataset generate sheet --toy s-curve --rows 500");
  ExpectOk("train sheet --dataset sheet --epochs 2 --layers 4 --hidden 8");
  ExpectOk("plot density sheet -o corner.png");
  ExpectOk("train given --dataset sheet --context-dim 1 --epochs 2 --hidden 8 --layers 2");
  ExpectOk("plot density given --context 0.5 -o given.png");
  ExpectOk("plot film given --context 0.5 -o given.gif");
  ExpectOk("plot film sheet -o cloud.gif");
}

TEST_F(Commands, MistakesHaveTheirExitCodes) {
  const std::pair<const char*, int> cases[] = {
      {"", kExitUsage},
      {"nonsense", kExitUsage},
      {"model", kExitUsage},
      {"train wow", kExitUsage},
      {"train wow --dataset a --target b", kExitUsage},
      {"train wow --dataset wow --stages x", kExitUsage},
      {"transform wow --in a.npy", kExitUsage},
      {"plot density wow -o x.jpg", kExitUsage},
      {"plot density wow --context 0.5 -o x.png", kExitUsage},
      {"sample wow --seed minus", kExitUsage},
      {"dataset generate x", kExitUsage},
      {"dataset generate x --text ' '", kExitError},
      {"dataset generate x --toy moons --target ring", kExitUsage},
      {"dataset generate x --target ring --noise 1", kExitUsage},
      {"dataset generate x --target none", kExitError},
      {"dataset generate x --target ring --rows 1000001", kExitError},
      {"dataset generate Bad/Name --toy moons", kExitError},
      {"dataset upload x none.npy", kExitError},
      {"dataset upload wow wow.npy", kExitError},
      {"log-prob none --in none.csv", kExitError},
      {"sample wow -n 10 -o file.xyz", kExitUsage},
      {"sample wow@99", kExitError},
      {"sample wow -n -5", kExitError},
      {"plot loss none -o x.png", kExitError},
      {"plot target none -o x.png", kExitError},
      {"plot target u3 --context 1 -o x.png", kExitUsage},
      {"train new --target none", kExitError},
      {"sample wow -n 1000000000000000000 -o endless.npy", kExitError},
      {"sample wow -n 10 -o none/file.npy", kExitError},
      {"health --server 127.0.0.1:1", kExitUnavailable},
      {"health --server ''", kExitUsage},
  };
  for (const auto& [arguments, code] : cases) {
    const Ran ran = Sluice(arguments);
    EXPECT_EQ(ran.code, code) << arguments << "\n" << ran.err;
    EXPECT_THAT(ran.err, StartsWith("sluice: ")) << arguments;
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
    EXPECT_THAT(ran.out, IsEmpty()) << arguments;
  }
  EXPECT_EQ(Sluice("--help").code, kExitOk);
  EXPECT_THAT(Sluice("--version").out, StartsWith("sluice "));
}

}  // namespace
}  // namespace sluice::cli
