// `sluice bench` against a real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "client/cli/exit_code.h"
#include "tests/cli/commands_fixture.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr char kBrief[] = " --window 0.05 --duration 0.2 --format json";

TEST_F(Commands, BenchMeasuresEachStepOfEachOperation) {
  ExpectOk("sample wow -n 40 --seed 3 -o points.npy");
  const std::pair<const char*, int64_t> cases[] = {{"wow --rows 3", 3},
                                                   {"wow@1 --rows 7 --in points.npy", 7},
                                                   {"wow --op sample --rows 5", 5},
                                                   {"--op echo", 0}};
  for (const auto& [arguments, rows] : cases) {
    const Ran ran = Sluice(std::string("bench ") + arguments + " --concurrency 1,3" + kBrief);
    ASSERT_EQ(ran.code, kExitOk) << ran.err;
    const Json report = Json::parse(ran.out);
    ASSERT_EQ(report.at("steps").size(), 2u) << arguments;
    EXPECT_EQ(report.at("steps")[1].at("concurrency"), 3);
    for (const Json& step : report.at("steps")) {
      const double rate = step.at("requests_per_second");
      EXPECT_GT(rate, 0) << arguments;
      EXPECT_DOUBLE_EQ(step.at("rows_per_second"), rate * static_cast<double>(rows));
      const Json& latency = step.at("latency_seconds");
      EXPECT_LE(latency.at("p50"), latency.at("p99")) << arguments;
      EXPECT_LE(latency.at("p99"), latency.at("max")) << arguments;
      EXPECT_EQ(latency.at("from"), "start");
      EXPECT_TRUE(step.at("errors").empty());
    }
    EXPECT_EQ(report.value("version", ""), rows > 0 ? "models/wow/versions/1" : "");
  }
}

TEST_F(Commands, BenchOfARateIsAnOpenLoop) {
  const Ran ran = Sluice(std::string("bench wow --rate 200,400") + kBrief);
  ASSERT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("even if it started late"));
  const Json report = Json::parse(ran.out);
  ASSERT_EQ(report.at("steps").size(), 2u);
  EXPECT_EQ(report.at("steps")[1].at("rate"), 400);
  EXPECT_EQ(report.at("steps")[1].at("latency_seconds").at("from"), "due");
}

TEST_F(Commands, BenchPrintsATableAndSaysWhatIsNotStable) {
  // So few calls a window are never alike.
  const Ran ran = Sluice("bench wow --rate 40 --window 0.05 --duration 0.2");
  ASSERT_EQ(ran.code, kExitOk) << ran.err;
  for (const char* heading : {"LOAD", "REQUESTS/S", "ROWS/S", "P99.9", "ERRORS", "rate 40/s"}) {
    EXPECT_THAT(ran.out, HasSubstr(heading));
  }
}

TEST_F(Commands, BenchRefusesWhatItCannotMeasure) {
  ExpectOk("sample wow -n 4 -o few.npy");
  const struct {
    const char* arguments;
    int code;
    const char* says;
  } cases[] = {
      {"bench", kExitUsage, "MODEL is required"},
      {"bench none", kExitError, "NOT_FOUND: model models/none"},
      {"bench wow --concurrency 0", kExitUsage, "--concurrency"},
      {"bench wow --concurrency 1,x", kExitUsage, "--concurrency"},
      {"bench wow --rate 0", kExitUsage, "--rate"},
      {"bench wow --rate 5 --concurrency 2", kExitUsage, "excludes"},
      {"bench wow --rows 0", kExitUsage, "--rows: '0' is too few"},
      {"bench wow --op train", kExitUsage, "--op"},
      {"bench wow --window 5 --duration 10", kExitUsage, "--duration must hold at least 3"},
      {"bench wow --rows 5 --in few.npy", kExitError, "few.npy has 4 rows"},
      {"bench wow --op sample --in few.npy", kExitUsage, "--in goes with --op log-prob"},
      {"bench wow --op sample --rows 2000000 --concurrency 1 --window 0.1", kExitError,
       "RESOURCE_EXHAUSTED"},
  };
  for (const auto& one : cases) {
    const Ran ran = Sluice(one.arguments);
    EXPECT_EQ(ran.code, one.code) << one.arguments << "\n" << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(one.says)) << one.arguments;
  }
}

}  // namespace
}  // namespace sluice::cli
