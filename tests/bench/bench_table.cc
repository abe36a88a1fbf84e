#include "tests/bench/bench_table.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace sluiced::bench {
namespace {

// Of ".../b256/...": 256.
double RowsOf(const std::string& name) { return std::stod(name.substr(name.find("/b") + 2)); }

// The least and the most of the peaks that were measured, by type and threads.
void PrintPeaks(const std::vector<Row>& rows, const MedianReporter& medians) {
  struct Range {
    double least, most;
  };
  std::map<std::string, Range> ranges;
  for (const Row& row : rows) {
    const double peak = 1e-9 * medians.Median(PeakOf(row));
    if (peak == 0) continue;
    const auto key = row.type + "/t" + std::to_string(row.threads);
    Range& range = ranges.try_emplace(key, Range{peak, peak}).first->second;
    range = {std::min(range.least, peak), std::max(range.most, peak)};
  }
  for (const auto& [key, range] : ranges) {
    std::printf(" %s %.0f-%.0f", key.c_str(), range.least, range.most);
  }
}

}  // namespace

std::string PeakOf(const Row& row) { return "peak/" + row.name; }

void MedianReporter::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    if (run.run_type != Run::RT_Aggregate || run.aggregate_name != "median") continue;
    const auto rate = run.counters.find("items_per_second");
    if (rate == run.counters.end()) continue;
    medians_[run.run_name.function_name] = rate->second;
    std::fprintf(stderr, "%s: %.4g/s\n", run.run_name.function_name.c_str(),
                 static_cast<double>(rate->second));
  }
}

double MedianReporter::Median(const std::string& name) const {
  const auto found = medians_.find(name);
  return found == medians_.end() ? 0 : found->second;
}

void Print(const std::string& simd, const std::vector<Row>& rows, const MedianReporter& medians,
           const std::string& json) {
  std::printf("SIMD %s; multiply-add peak, GFLOP/s:", simd.c_str());
  PrintPeaks(rows, medians);
  std::printf("\n%-58s %13s %11s %7s %10s %12s\n", "name", "rows/s", "us a call", "peak",
              "x modules", "x reference");
  nlohmann::json document = nlohmann::json::array();
  for (const Row& row : rows) {
    const double rate = medians.Median("engine/" + row.name);
    if (rate == 0) continue;
    const auto times = [&](const char* other) {
      const double theirs = medians.Median(other + row.name);
      return theirs > 0 ? rate / theirs : 0;
    };
    const double peak = medians.Median(PeakOf(row));
    const double share = peak > 0 ? rate * row.flops_per_row / peak : 0;
    std::printf("%-58s %13.0f %11.4g %6.1f%% %10.1f %12.1f\n", row.name.c_str(), rate,
                1e6 * RowsOf(row.name) / rate, 100 * share, times("modules/"), times("reference/"));
    document.push_back({{"name", row.name},
                        {"rows_per_s", rate},
                        {"peak_share", share},
                        {"times_torch", times("modules/")},
                        {"times_reference", times("reference/")}});
  }
  if (!json.empty()) std::ofstream(json) << document.dump(1) << "\n";
}

}  // namespace sluiced::bench
