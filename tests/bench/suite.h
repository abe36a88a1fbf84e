// Suite: the benchmarks of one run, and the rows of the table that they make.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/bench/bench_table.h"
#include "tests/bench/shapes.h"

namespace sluiced::bench {

// Registers with Google Benchmark. One thread is pinned to a core and measured by the
// process's processor time, so that others on the machine count for little and helpers
// that a library starts count too; two threads, jobs and calls are measured by the
// clock.
class Suite {
 public:
  // Of the engine, and of LibTorch both ways (torch_work.h).
  void LogProb(const Shape& shape, int64_t rows, int threads = 1);
  void Sample(const Shape& shape, int64_t rows);
  void Step(const Shape& shape, int64_t rows, int threads = 1);
  // A train job of a server, watched; the same loop in modules.
  void Job(const Array& rows, int threads);
  // A call to a server, both processes on two cores.
  void Call(int64_t rows);

  const std::vector<Row>& rows() const { return rows_; }

 private:
  using Make = std::function<Work()>;

  // A row's name, its row added to the table and its peak registered. `passes`: 1, or 3 with
  // gradients.
  std::string Add(const std::string& what, const Shape& shape, int64_t rows, int threads,
                  double passes);
  static void All(const std::string& name, const Shape& shape, int64_t rows, int threads,
                  const Make& engine, const Make& modules, const Make& reference);

  std::vector<Row> rows_;
};

}  // namespace sluiced::bench
