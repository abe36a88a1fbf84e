#include "client/cli/commands/bench_output.h"

#include "client/cli/term/format.h"
#include "client/cli/term/json_view.h"
#include "client/cli/term/listing.h"

namespace sluice::cli {
namespace {

struct Quantile {
  const char* heading;
  const char* key;
  double fraction;
};
constexpr Quantile kQuantiles[] = {{"P50 ms", "p50", 0.5},
                                   {"P90", "p90", 0.9},
                                   {"P95", "p95", 0.95},
                                   {"P99", "p99", 0.99},
                                   {"P99.9", "p99.9", 0.999}};

// Milliseconds.
std::string Latency(double seconds) { return FormatNumber(1e3 * seconds, 3); }

std::string Errors(const Window& window) {
  std::string text;
  for (const auto& [code, count] : window.errors) {
    text += (text.empty() ? "" : ", ") + FormatCount(count) + " " + NameOf(code);
  }
  return text.empty() ? "0" : text;
}

double RowsPerSecond(const BenchReport& report, const Window& window) {
  return window.CallsPerSecond() * static_cast<double>(report.rows);
}

Json StepJson(const BenchReport& report, const BenchStep& step) {
  const Window& window = step.measured.window;
  Json json;
  if (step.shape.rate > 0) {
    json["rate"] = step.shape.rate;
  } else {
    json["concurrency"] = step.shape.concurrency;
  }
  json["requests_per_second"] = window.CallsPerSecond();
  json["rows_per_second"] = RowsPerSecond(report, window);
  Json& latency = json["latency_seconds"];
  for (const Quantile& quantile : kQuantiles) {
    latency[quantile.key] = window.latency.QuantileSeconds(quantile.fraction);
  }
  latency["max"] = window.latency.MaxSeconds();
  latency["mean"] = window.latency.MeanSeconds();
  latency["from"] = step.shape.rate > 0 ? "due" : "start";
  json["requests"] = window.latency.count();
  json["errors"] = Json::object();
  for (const auto& [code, count] : window.errors) json["errors"][NameOf(code)] = count;
  json["seconds"] = window.seconds;
  json["stable"] = step.measured.stable;
  json["windows"] = step.measured.windows;
  return json;
}

}  // namespace

std::string NameOf(const LoadShape& shape) {
  if (shape.rate > 0) return "rate " + FormatNumber(shape.rate, 6) + "/s";
  return "concurrency " + std::to_string(shape.concurrency);
}

void PrintBenchTable(const BenchReport& report) {
  Cells headings = {"LOAD", "REQUESTS/S", "ROWS/S"};
  for (const Quantile& quantile : kQuantiles) headings.push_back(quantile.heading);
  headings.insert(headings.end(), {"MAX", "ERRORS", "STABLE"});
  std::vector<Cells> rows;
  for (const BenchStep& step : report.steps) {
    const Window& window = step.measured.window;
    Cells row = {NameOf(step.shape), FormatNumber(window.CallsPerSecond(), 5),
                 FormatRate(RowsPerSecond(report, window))};
    for (const Quantile& quantile : kQuantiles) {
      row.push_back(Latency(window.latency.QuantileSeconds(quantile.fraction)));
    }
    row.insert(row.end(), {Latency(window.latency.MaxSeconds()), Errors(window),
                           step.measured.stable ? "yes" : "no"});
    rows.push_back(std::move(row));
  }
  PrintTable(headings, rows);
}

void PrintBenchJson(const BenchReport& report) {
  Json json{{"operation", report.operation}, {"rows", report.rows}};
  if (!report.version.empty()) json["version"] = report.version;
  json["steps"] = Json::array();
  for (const BenchStep& step : report.steps) json["steps"].push_back(StepJson(report, step));
  PrintJson(json);
}

}  // namespace sluice::cli
