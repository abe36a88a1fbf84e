#include "client/cli/term/top_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "client/cli/term/format.h"

namespace sluice::cli {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

MethodStatistics LogProb(int64_t calls) {
  MethodStatistics method;
  method.method = "LogProb";
  method.calls = calls;
  method.errors = calls / 10;
  method.rows = 100 * calls;
  method.in_flight = 3;
  method.recent_calls = 600;
  method.recent_rows = 6000;
  method.p50_seconds = 0.000214;
  method.p99_seconds = 0.0123;
  return method;
}

Statistics Served(int64_t calls, seconds up) {
  Statistics statistics;
  statistics.server_version = "1.2.3";
  statistics.start_time = Time(seconds(1'000'000));
  statistics.time = statistics.start_time + up;
  statistics.window_seconds = 60;
  statistics.methods = {LogProb(calls)};
  statistics.queues = {{"compute", 7, 1024}};
  statistics.in_flight_bytes = 5'000'000;
  statistics.max_in_flight_bytes = 50'000'000;
  statistics.job_bytes = 3'000'000;
  statistics.max_job_bytes = 12'000'000;
  statistics.models = {{"models/wow/versions/3", 4'000'000}};
  statistics.loaded_models = 1;
  statistics.jobs = {{JobState::kRunning, 1}, {JobState::kQueued, 2}};
  statistics.ended_jobs = {{JobState::kFailed, 4}};
  RunningJob job;
  job.id = "job-1";
  job.model = "wow";
  job.epoch = 5;
  job.epochs = 10;
  job.train_loss = 3.25;
  job.rows_per_second = 1.5e6;
  job.seconds_left = 90;
  statistics.running_jobs = {job};
  return statistics;
}

Terminal Wide() {
  Terminal terminal;
  terminal.columns = 200;
  return terminal;
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST(TopView, FirstShowsTheRatesOfTheLastMinute) {
  const std::string text =
      Joined(TopLines({"host:1", Served(1000, seconds(3600)), std::nullopt}, Wide()));
  EXPECT_THAT(text, AllOf(HasSubstr("1.2.3 at host:1"), HasSubstr("calls   10/s"),
                          HasSubstr("rows 100/s"), HasSubstr("in flight 3, 5 MB (10 %)")));
  EXPECT_THAT(text, AllOf(HasSubstr("compute 7/1,024"), HasSubstr("models/wow/versions/3"),
                          HasSubstr("2 queued, 1 running; ended since the start: 4 failed")));
  EXPECT_THAT(text, HasSubstr("jobs 3 MB (25 %)"));
  EXPECT_THAT(text, AllOf(HasSubstr("214 us"), HasSubstr("12.3 ms")));
  EXPECT_THAT(text, AllOf(HasSubstr("job-1"), HasSubstr("5/10"), HasSubstr("3.2500"),
                          HasSubstr("1.50 M"), HasSubstr("1 min 30 s")));
}

TEST(TopView, LaterShowsWhatHappenedBetween) {
  const Statistics before = Served(1000, seconds(3600)), now = Served(1040, seconds(3602));
  const std::string text = Joined(TopLines({"host:1", now, before}, Wide()));
  EXPECT_THAT(
      text, AllOf(HasSubstr("calls   20/s"), HasSubstr("errors 2.0/s"), HasSubstr("rows 2000/s")));
}

TEST(TopView, AServerThatStartedAgainBeginsAnew) {
  Statistics before = Served(100'000, seconds(3600)), now = Served(10, seconds(10));
  before.start_time -= seconds(7200);
  const std::string text = Joined(TopLines({"host:1", now, before}, Wide()));
  EXPECT_THAT(text, HasSubstr("calls   10/s"));
}

TEST(TopView, AServerThatDidNothingHasNoTables) {
  Statistics idle;
  idle.time = idle.start_time = Time(seconds(1));
  const std::vector<std::string> lines = TopLines({"host:1", idle, std::nullopt}, Wide());
  EXPECT_EQ(lines.size(), 5u);
}

TEST(TopView, LinesFitAndMoveNoCursor) {
  Statistics evil = Served(1000, seconds(3600));
  evil.running_jobs[0].model = "wow\x1b[2J\n";
  for (const int columns : {1, 2, 20, 79}) {
    Terminal terminal;
    terminal.columns = columns;
    for (const std::string& line : TopLines({"host:1", evil, std::nullopt}, terminal)) {
      EXPECT_LE(DisplayWidth(line), static_cast<size_t>(columns));
      EXPECT_THAT(line, Not(Contains('\x1b')));
      EXPECT_THAT(line, Not(Contains('\n')));
    }
  }
}

TEST(TopView, ColumnsStandUnderTheirHeadings) {
  Statistics now = Served(1000, seconds(3600));
  now.methods.push_back(LogProb(1));
  now.methods.back().method = "StreamTransform";
  const std::vector<std::string> lines = TopLines({"host:1", now, std::nullopt}, Wide());
  size_t width = 0;
  for (const std::string& line : lines) {
    if (line.rfind("METHOD", 0) == 0) width = line.size();
    if (line.rfind("LogProb", 0) == 0 || line.rfind("StreamTransform", 0) == 0) {
      EXPECT_EQ(line.size(), width);
    }
  }
  EXPECT_GT(width, 0u);
}

TEST(TopView, HeadingsAreBoldOnlyWhereColoursAreWelcome) {
  Terminal terminal = Wide();
  terminal.color = true;
  EXPECT_THAT(TopLines({"h:1", Served(1, seconds(9)), std::nullopt}, terminal),
              Contains(StartsWith("\x1b[1mMETHOD")));
}

}  // namespace
}  // namespace sluice::cli
