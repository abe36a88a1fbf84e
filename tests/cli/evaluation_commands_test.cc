// How well models fit, asked on the command line of a real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "client/cli/exit_code.h"
#include "client/cli/files/table_file.h"
#include "tests/cli/commands_fixture.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EvaluationCommands : public Commands {
 protected:
  static void SetUpTestSuite() {
    Commands::SetUpTestSuite();
    ExpectOk("model create flat --dim 2 --layers 2 --hidden 4");
  }
};

TEST_F(EvaluationCommands, OfADatasetAsTextJsonAndPicture) {
  const Ran ran = Sluice("evaluate wow --dataset wow --held-out -o fit.png");
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("60, held out by the version's training"));
  EXPECT_THAT(ran.out, HasSubstr("log-likelihood:"));
  EXPECT_THAT(ran.out, HasSubstr("classifier:"));
  EXPECT_THAT(ran.out, HasSubstr("KS DISTANCE"));
  EXPECT_THAT(ran.err, HasSubstr("note: "));
  ExpectStartsWith("fit.png", "\x89PNG");
  const Ran json = Sluice("evaluate wow --dataset datasets/wow --rows 50 --draws 80 --format json");
  const auto parsed = nlohmann::json::parse(json.out);
  EXPECT_EQ(parsed["dataset"]["origin"], "TRAINED_ON");
  EXPECT_EQ(parsed["dataset"]["rows"], 50);
  EXPECT_EQ(parsed["dataset"]["draws"], 80);
  EXPECT_EQ(parsed["dataset"]["columns"].size(), 2U);
  EXPECT_THAT(json.err, IsEmpty());
}

// Normal rows of weight 1 between rows far off of weight 0; and whole numbers.
TEST_F(EvaluationCommands, OfRowsByTheirWeightsAndWithNoise) {
  ASSERT_EQ(Sluice("dataset upload weighed -",
                   "awk 'BEGIN { srand(1); print \"x,y,w\"; for (i = 0; i < 600; i++) {"
                   " r = sqrt(-2 * log(1 - rand())); a = 6.2831853 * rand();"
                   " print r * cos(a) + 50 * (i % 2) \",\" r * sin(a) \",\" (i + 1) % 2 } }'")
                .code,
            kExitOk);
  const auto fit_of = [](const std::string& options) {
    const Ran ran = Sluice("evaluate flat --dataset " + options + " --format json");
    EXPECT_EQ(ran.code, kExitOk) << ran.err;
    return nlohmann::json::parse(ran.out)["dataset"];
  };
  const auto fit = fit_of("weighed --weights w");
  EXPECT_EQ(fit["rows"], 300);
  EXPECT_NEAR(fit["log_likelihood"]["mean"].get<double>(), -2.84, 0.3);  // The entropy's.
  EXPECT_EQ(fit["rows_without_density"], 0);
  EXPECT_EQ(fit, fit_of("weighed --weights 2"));
  EXPECT_EQ(Sluice("evaluate flat --dataset weighed").code, kExitError);
  EXPECT_THAT(Sluice("evaluate flat --dataset weighed --weights no").err,
              HasSubstr("'no' is no column of datasets/weighed"));

  ASSERT_EQ(Sluice("dataset upload whole -",
                   "awk 'BEGIN { for (i = 0; i < 400; i++) print i % 3 \",\" i % 5 }'")
                .code,
            kExitOk);
  const auto raw = fit_of("whole"), noisy = fit_of("whole --dequantize");
  EXPECT_GT(noisy["columns"][0]["ks_distance"], 0);
  EXPECT_NE(raw["log_likelihood"], noisy["log_likelihood"]);
  EXPECT_EQ(noisy, fit_of("whole --dequantize"));
}

TEST_F(EvaluationCommands, OfATarget) {
  const Ran ran = Sluice("evaluate flat --target gaussian --draws 500 --seed 3");
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Pareto k:"));
  EXPECT_THAT(ran.out, HasSubstr("(known: 0)"));
  EXPECT_THAT(ran.err, HasSubstr("draws of the model itself"));
  ExpectOk("plot evaluate flat --target gaussian -o weights.png");
  ExpectOk("plot evaluate wow --dataset wow -o ranks.png");
  ExpectStartsWith("weights.png", "\x89PNG");
  ExpectStartsWith("ranks.png", "\x89PNG");
  EXPECT_THAT(Sluice("plot evaluate flat --target gaussian -o - | head -c 4").out,
              HasSubstr("PNG"));
}

TEST_F(EvaluationCommands, SelfTestsPassWithCodeZero) {
  const Ran ran = Sluice("selftest wow");
  EXPECT_EQ(ran.code, kExitOk) << ran.out << ran.err;
  for (const char* law : {"round_trip", "log_det", "integral", "base", "finite_rows"}) {
    EXPECT_THAT(ran.out, HasSubstr(law));
  }
  EXPECT_EQ(nlohmann::json::parse(Sluice("selftest wow@0 --format json").out)["passed"], true);
}

// A float32 flow whose scales are so large that rounding eats it up.
TEST_F(EvaluationCommands, ASelfTestThatFailsExitsWithOne) {
  ExpectOk(
      "model create wild --dim 2 --layers 200 --hidden 8 --scale-bound 0 --init uniform --seed 1");
  const Ran ran = Sluice("selftest wild");
  EXPECT_EQ(ran.code, kExitError) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("BROKEN"));
  EXPECT_THAT(ran.err, HasSubstr("breaks laws of a flow: "));
}

TEST_F(EvaluationCommands, CorrectedSamplesWithTheirDiagnostics) {
  const Ran weighted = Sluice("sample flat --correct importance --target gaussian -n 50 -o w.npy");
  EXPECT_EQ(weighted.code, kExitOk) << weighted.err;
  EXPECT_EQ(ReadTable(File("w.npy"), "")->cols, 3);
  EXPECT_THAT(weighted.err, HasSubstr("effective draws"));
  const Ran named = Sluice("sample flat --correct importance --target gaussian -n 5");
  EXPECT_THAT(named.out, HasSubstr("x1,x2,log_weight"));
  ExpectOk("sample flat --correct resample --target targets/gaussian -n 50 --draws 500 -o r.csv");
  EXPECT_EQ(ReadTable(File("r.csv"), "")->cols, 2);
  const Ran chains = Sluice(
      "sample flat --correct mcmc --target gaussian -n 50 --seed 1 --chains 5 --burn-in 20 "
      "-o m.npy");
  EXPECT_THAT(chains.err, HasSubstr("acceptance rate"));
  EXPECT_THAT(chains.err, HasSubstr("over 5 chains"));
  EXPECT_EQ(ReadTable(File("m.npy"), "")->rows, 50);
}

TEST_F(EvaluationCommands, WrongCommandLines) {
  for (const char* line :
       {"evaluate wow", "evaluate wow --dataset a --target b", "evaluate wow --target a --rows 5",
        "evaluate wow --target a --held-out", "evaluate wow --dataset wow -o fit.gif",
        "evaluate wow --dataset wow --rows 0", "selftest", "sample wow --target ring",
        "sample wow --correct mcmc", "sample wow --correct best --target ring",
        "sample wow --correct mcmc --target ring --draws 5", "sample wow --chains 5",
        "sample wow --correct resample --target ring --burn-in 5",
        "sample wow --correct resample --target ring --log-prob", "plot evaluate wow --dataset wow",
        "plot evaluate wow --dataset wow -o a.jpg"}) {
    EXPECT_EQ(Sluice(line).code, kExitUsage) << line;
  }
  EXPECT_THAT(Sluice("evaluate wow --dataset none").err, HasSubstr("NOT_FOUND"));
  EXPECT_THAT(Sluice("selftest wow --draws 5").err, HasSubstr("draws"));
}

}  // namespace
}  // namespace sluice::cli
