// What the benchmarks gave, as a table and as JSON.
#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <vector>

namespace sluiced::bench {

// One row of the table: the engine's figure beside LibTorch's and the peak.
struct Row {
  std::string name;  // "log_prob/d2_l8_h32/f32/b256/t1"
  std::string type;  // "f32"
  int threads;
  double flops_per_row;
};

// Keeps the median of every benchmark; the names are its keys.
class MedianReporter final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override;

  // Items a second; 0 for what did not run.
  double Median(const std::string& name) const;

 private:
  std::map<std::string, double> medians_;
};

// The name of the multiply-add peak measured for a row, just before it: how fast a core
// runs changes by the minute.
std::string PeakOf(const Row& row);

// The peaks and the rows that ran, to stdout; as an array of objects to `json`, unless
// it is empty.
void Print(const std::string& simd, const std::vector<Row>& rows, const MedianReporter& medians,
           const std::string& json);

}  // namespace sluiced::bench
