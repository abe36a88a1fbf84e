#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "client/cli/command_failure.h"
#include "client/cli/commands/bench_output.h"
#include "client/cli/commands/commands.h"
#include "client/cli/files/table_file.h"
#include "client/cli/validators.h"
#include "client/src/prepared_calls.h"

namespace sluice::cli {
namespace {

// Different requests in turn, as far as their rows do not crowd the memory.
constexpr int64_t kMostRequests = 64;
constexpr int64_t kMostRows = int64_t{1} << 20;
constexpr uint64_t kSeed = 1;

struct BenchCommand {
  std::string model, operation = "log-prob", in, in_format;
  int64_t rows = 1;
  std::vector<int> concurrency = {1, 4, 16, 64};
  std::vector<double> rates;
  double window = 1, duration = 10;
};

int64_t RequestsOf(int64_t rows) { return std::clamp<int64_t>(kMostRows / rows, 1, kMostRequests); }

// The rows to score: the user's, or what the model itself finds likely.
Matrix PointsOf(Context& context, const BenchCommand& command, const std::string& model) {
  if (command.in.empty()) {
    const int64_t rows = command.rows * RequestsOf(command.rows);
    return OrFail(context.client().Sample(model, rows, {.seed = kSeed})).x;
  }
  Matrix points = OrFail(ReadTable(command.in, command.in_format));
  if (points.rows < command.rows) {
    FailInvalid(command.in + " has " + std::to_string(points.rows) + " rows; --rows asks for " +
                std::to_string(command.rows) + " in each request");
  }
  return points;
}

std::vector<PreparedCall> PrepareScoring(Context& context, const BenchCommand& command,
                                         const std::string& model) {
  const Matrix points = PointsOf(context, command, model);
  const int64_t requests = std::min(points.rows / command.rows, RequestsOf(command.rows));
  std::vector<PreparedCall> calls;
  for (int64_t i = 0; i < requests; ++i) {
    calls.push_back(PrepareLogProb(model, points, i * command.rows, command.rows));
  }
  return calls;
}

// Also fails here, and not call by call, where there is no such model or server. Names
// the version, so that all calls meet the same one.
std::vector<PreparedCall> PrepareCalls(Context& context, const BenchCommand& command,
                                       BenchReport* report) {
  if (command.operation == "echo") {
    OrFail(context.client().CheckHealth());
    return {PrepareHealthCheck()};
  }
  const std::string model = PlainId(command.model, "models");
  report->version = OrFail(context.client().Sample(model, 1, {.seed = kSeed})).version;
  report->rows = command.rows;
  if (command.operation == "log-prob") return PrepareScoring(context, command, report->version);
  std::vector<PreparedCall> calls;
  for (int64_t i = 0; i < kMostRequests; ++i) {
    calls.push_back(PrepareSample(report->version, command.rows, kSeed + static_cast<uint64_t>(i)));
  }
  return calls;
}

std::vector<LoadShape> ShapesOf(const BenchCommand& command) {
  std::vector<LoadShape> shapes;
  for (const double rate : command.rates) shapes.push_back({.rate = rate, .seed = kSeed});
  if (!shapes.empty()) return shapes;
  for (const int concurrency : command.concurrency) shapes.push_back({.concurrency = concurrency});
  return shapes;
}

MeasurementRule RuleOf(const BenchCommand& command) {
  const int most = static_cast<int>(std::floor(command.duration / command.window + 1e-9));
  if (most < kWindowsThatAgree) {
    FailUsage("--duration must hold at least " + std::to_string(kWindowsThatAgree) +
              " of --window");
  }
  return {.window_seconds = command.window, .most_windows = most};
}

BenchStep Run(Context& context, const std::vector<PreparedCall>& calls, const LoadShape& shape,
              const MeasurementRule& rule) {
  Load load(CallQueue::Connect(context.server, context.Options()), calls, shape);
  Status refused;
  const Measurement measured = Measure(load, rule, [&](const Window& window) {
    const bool only_errors = window.latency.count() == 0 && !window.first_error.ok();
    if (only_errors) refused = window.first_error;
    return !only_errors;
  });
  OrFail(refused);
  if (!measured.stable) {
    Say(NameOf(shape) + ": not stable: the last of " + std::to_string(measured.windows) +
        " windows differ by more than 10 % in throughput or latency");
  }
  return {shape, measured};
}

void Bench(Context& context, const BenchCommand& command) {
  if (command.model.empty() && command.operation != "echo") {
    FailUsage("MODEL is required for --op " + command.operation);
  }
  if (!command.in.empty() && command.operation != "log-prob") {
    FailUsage("--in goes with --op log-prob");
  }
  const MeasurementRule rule = RuleOf(command);
  BenchReport report;
  report.operation = command.operation;
  const std::vector<PreparedCall> calls = PrepareCalls(context, command, &report);
  for (const LoadShape& shape : ShapesOf(command)) {
    report.steps.push_back(Run(context, calls, shape, rule));
  }
  context.json() ? PrintBenchJson(report) : PrintBenchTable(report);
  Say(command.rates.empty()
          ? "latencies are service times: of a call from its start to its end"
          : "latencies count from the moment at which a call was due, even if it started late");
}

void AddLoadOptions(CLI::App& sub, BenchCommand* command) {
  CLI::Option* concurrency =
      sub.add_option("--concurrency", command->concurrency,
                     "Closed loop: calls in flight, one step of the measurement each: N,N,...")
          ->delimiter(',')
          ->check(CLI::Range(1, 100000))
          ->capture_default_str();
  sub.add_option("--rate", command->rates,
                 "Open loop instead: calls a second at random (Poisson) moments: R,R,...")
      ->delimiter(',')
      ->check(CLI::Range(1e-3, 1e7))
      ->excludes(concurrency);
  sub.add_option("--window", command->window, "Seconds of a window")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  sub.add_option("--duration", command->duration,
                 "Seconds of a step at most: it ends as soon as three windows in a row agree\n"
                 "within 10 % in throughput and latency")
      ->check(CLI::Range(0.03, 86400.0))
      ->capture_default_str();
}

}  // namespace

void AddBenchCommand(CLI::App& app, Context& context) {
  auto command = std::make_shared<BenchCommand>();
  CLI::App* sub = app.add_subcommand("bench", "Measure throughput and latency of a server");
  sub->add_option("MODEL", command->model, "NAME or NAME@VERSION; not needed for --op echo");
  sub->add_option("--op", command->operation,
                  "log-prob, sample, or echo: a call that computes nothing (gRPC's health check)")
      ->check(CLI::IsMember({"log-prob", "sample", "echo"}))
      ->capture_default_str();
  sub->add_option("--rows", command->rows, "Rows of a call")
      ->check(AtLeastOne())
      ->capture_default_str();
  sub->add_option("--in", command->in,
                  "Rows to score, *.npy, *.csv or -; otherwise samples of the model");
  sub->add_option("--format-in", command->in_format, "npy or csv, whatever the file's name");
  AddLoadOptions(*sub, command.get());
  sub->callback([&context, command] { Bench(context, *command); });
}

}  // namespace sluice::cli
