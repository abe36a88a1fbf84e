// What `sluice bench` prints.
#pragma once

#include <string>
#include <vector>

#include "client/cli/load/load.h"
#include "client/cli/load/measurement.h"

namespace sluice::cli {

struct BenchStep {
  LoadShape shape;
  Measurement measured;
};

struct BenchReport {
  std::string operation;  // "log-prob", "sample", "echo"
  std::string version;    // "models/wow/versions/3"; empty of an echo.
  int64_t rows = 0;       // Of a call.
  std::vector<BenchStep> steps;
};

// "concurrency 16", "rate 500/s"
std::string NameOf(const LoadShape& shape);
void PrintBenchTable(const BenchReport& report);
void PrintBenchJson(const BenchReport& report);

}  // namespace sluice::cli
