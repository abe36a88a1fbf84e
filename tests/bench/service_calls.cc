// Unary calls beside the same calls that compute nothing, and beside the engine alone.
#include <chrono>

#include "tests/bench/engine_work.h"
#include "tests/bench/service_bench.h"

namespace sluiced::bench {
namespace {

using sluice::cli::LoadShape;
using sluice::cli::Window;

constexpr double kMicroseconds = 1e6;

double P50(const Window& window) { return kMicroseconds * window.latency.QuantileSeconds(0.5); }
double P99(const Window& window) { return kMicroseconds * window.latency.QuantileSeconds(0.99); }
double Rate(const Window& window) { return window.CallsPerSecond(); }

// `figure` of log_prob of one row and of the echo, in turn.
Rounds BesideEcho(const ServiceOptions& options, const LoadShape& shape,
                  double (*figure)(const Window&)) {
  Service service(options);
  const sluice::PreparedCall scoring = ScoringCall(1), echo = EchoCall();
  Rounds rounds;
  for (int i = 0; i < options.rounds; ++i) {
    const Window floor = MeasureFor(options.seconds, service.echo().address(), echo, shape);
    const Window ours = MeasureFor(options.seconds, service.server().address(), scoring, shape);
    rounds.Add(figure(ours), figure(floor));
  }
  return rounds;
}

// Of the engine alone, on this thread.
double EngineRowsPerSecond(double seconds, int64_t rows) {
  const Work work = EngineLogProb(kSeedsFlow, rows, /*threads=*/1);
  const auto start = std::chrono::steady_clock::now();
  int64_t done = 0;
  double passed = 0;
  for (; passed < seconds; done += rows) {
    work();
    passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return static_cast<double>(done) / passed;
}

}  // namespace

Figures MeasureLatency(const ServiceOptions& options) {
  return {BesideEcho(options, {.concurrency = 1}, P50)
              .ToFigure("log_prob, 1 row, concurrency 1: p50, echo", "us",
                        {Target::Side::kAtMost, 1.25})};
}

Figures MeasureThroughput(const ServiceOptions& options) {
  return {BesideEcho(options, {.concurrency = 64}, Rate)
              .ToFigure("log_prob, 1 row, concurrency 64: calls, echo", "1/s",
                        {Target::Side::kAtLeast, 0.8})};
}

Figures MeasureBatches(const ServiceOptions& options) {
  constexpr int64_t kRows = 256;
  Service service(options);
  const sluice::PreparedCall call = ScoringCall(kRows);
  Rounds rounds;
  for (int i = 0; i < options.rounds; ++i) {
    const double floor = EngineRowsPerSecond(options.seconds, kRows);
    const Window ours =
        MeasureFor(options.seconds, service.server().address(), call, {.concurrency = 16});
    rounds.Add(Rate(ours) * kRows, floor);
  }
  return {rounds.ToFigure("log_prob, 256 rows, concurrency 16: rows, engine on a core", "rows/s",
                          {Target::Side::kAtLeast, 0.7})};
}

Figures MeasureBesideTraining(const ServiceOptions& options) {
  const LoadShape load = {.rate = 500};
  Service service(options);
  const sluice::PreparedCall call = ScoringCall(1);
  const std::string address = service.server().address();
  const std::string job = service.StartEndlessJob();
  Rounds rounds;
  for (int i = 0; i < options.rounds; ++i) {
    service.Pause(job);
    const Window idle = MeasureFor(options.seconds, address, call, load);
    service.Resume(job);
    rounds.Add(P99(MeasureFor(options.seconds, address, call, load)), P99(idle));
  }
  service.End(job);
  return {rounds.ToFigure("log_prob, 1 row, 500 calls/s: p99 beside a train job, alone", "us",
                          {Target::Side::kAtMost, 2})};
}

}  // namespace sluiced::bench
