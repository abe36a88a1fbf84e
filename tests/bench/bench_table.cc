#include "tests/bench/bench_table.h"

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

namespace sluiced::bench {

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

void Print(const std::vector<Row>& rows, const MedianReporter& medians, const std::string& json) {
  nlohmann::json document = nlohmann::json::array();
  std::printf("%-40s %14s %12s %12s %10s\n", "name", "rows/s", "us/call row", "peak share",
              "x LibTorch");
  for (const Row& row : rows) {
    const double rate = medians.Median("engine/" + row.name);
    if (rate == 0) continue;
    const double torch = medians.Median("torch/" + row.name);
    const double peak = medians.Median("peak/" + row.peak) * row.threads;
    const double share = peak > 0 ? rate * row.flops_per_row / peak : 0;
    const double times = torch > 0 ? rate / torch : 0;
    std::printf("%-40s %14.0f %12.3f %11.1f%% %10.1f\n", row.name.c_str(), rate, 1e6 / rate,
                100 * share, times);
    document.push_back(
        {{"name", row.name}, {"rows_per_s", rate}, {"peak_share", share}, {"times_torch", times}});
  }
  if (!json.empty()) std::ofstream(json) << document.dump(1) << "\n";
}

}  // namespace sluiced::bench
