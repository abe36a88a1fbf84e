// The service beside the least that its transport costs, in one run, in turn: calls
// beside an echo server of the same gRPC library, rows beside the engine alone.
// Arguments: see --help and scripts/bench.
#include "tests/bench/service_bench.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace sluiced::bench {
namespace {

using Measure = Figures (*)(const ServiceOptions&);

const std::pair<const char*, Measure> kMeasures[] = {
    {"latency", MeasureLatency},        {"throughput", MeasureThroughput},
    {"batches", MeasureBatches},        {"stream", MeasureStream},
    {"watchers", MeasureWatchers},      {"models", MeasureManyModels},
    {"training", MeasureBesideTraining}};

int Main(int argc, char** argv) {
  ServiceOptions options;
  std::vector<std::string> only;
  std::string json;
  std::vector<std::string> names;
  for (const auto& [name, measure] : kMeasures) names.emplace_back(name);
  CLI::App app("Measures a sluiced beside the floor of its transport.", "service_bench");
  app.add_option("--only", only, "Of these measurements: NAME,NAME,...")
      ->delimiter(',')
      ->check(CLI::IsMember(names));
  app.add_option("--rounds", options.rounds, "Turns of each side")->check(CLI::Range(1, 1000));
  app.add_option("--seconds", options.seconds, "Of a turn")->check(CLI::Range(0.05, 600.0));
  app.add_option("--watchers", options.watchers)->check(CLI::Range(1, 100000));
  app.add_option("--models", options.models)->check(CLI::Range(1, 10000000));
  app.add_option("--sample-rows", options.sample_rows)->check(CLI::PositiveNumber);
  app.add_option("--json", json, "File that gets an array of one object a figure");
  app.add_option("--sluiced", options.server_flags, "A flag of sluiced: --sluiced=--threads=1")
      ->allow_extra_args(false);
  CLI11_PARSE(app, argc, argv);

  std::vector<Figure> figures;
  PrintHeadings();
  for (const auto& [name, measure] : kMeasures) {
    if (!only.empty() && std::find(only.begin(), only.end(), name) == only.end()) continue;
    for (const Figure& figure : measure(options)) {
      PrintFigure(figure);
      figures.push_back(figure);
    }
  }
  if (!json.empty()) WriteJson(figures, json);
  return 0;
}

}  // namespace
}  // namespace sluiced::bench

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], sluiced::bench::kEchoServer) == 0) {
    return sluiced::bench::RunEchoServer();
  }
  return sluiced::bench::Main(argc, argv);
}
