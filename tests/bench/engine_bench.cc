// The engine beside LibTorch's eager operations, in one process, on one thread and
// on two. Arguments: see scripts/bench.
#include <benchmark/benchmark.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/data/readers.h"
#include "server/engine/simd_target.h"
#include "server/flows/torch_setup.h"
#include "tests/bench/growth.h"
#include "tests/bench/suite.h"

namespace sluiced::bench {
namespace {

void RegisterTable(Suite& suite, const Array& wow) {
  for (int64_t rows : {1, 256, 4096, 65536}) suite.LogProb(kSeedsFlow, rows);
  suite.Sample(kSeedsFlow, 4096);
  for (int64_t rows : {256, 1024}) suite.Step(kSeedsFlow, rows);
  suite.Job(wow, 1);
  const Shape others[] = {{2, 8, 128, DType::kFloat32}, {2, 8, 512, DType::kFloat32},
                          {16, 8, 32, DType::kFloat32}, {64, 8, 64, DType::kFloat32},
                          {2, 8, 32, DType::kFloat64},  {16, 8, 64, DType::kFloat64}};
  for (const Shape& shape : others) {
    suite.LogProb(shape, 4096);
    suite.Step(shape, 256);
  }
  for (const flows::Architecture one : flows::AllArchitectures()) {
    for (const int64_t dim : {2, 16}) {
      const Shape shape = {dim, 8, 64, DType::kFloat32, one};
      suite.LogProb(shape, 4096);
      suite.Sample(shape, 1024);
      for (const int64_t rows : {256, 1024}) suite.Step(shape, rows);
    }
  }
  suite.LogProb(kSeedsFlow, 65536, 2);
  suite.Step(kSeedsFlow, 1024, 2);
  suite.Job(wow, 2);
  for (int64_t rows : {1, 256, 65536}) suite.Call(rows);
}

// The value of --NAME=..., which Google Benchmark is not to see.
std::string TakeFlag(const std::string& name, std::vector<char*>& arguments) {
  const std::string prefix = absl::StrCat("--", name, "=");
  for (auto it = arguments.begin(); it != arguments.end(); ++it) {
    if (std::strncmp(*it, prefix.c_str(), prefix.size()) != 0) continue;
    const std::string value = *it + prefix.size();
    arguments.erase(it);
    return value;
  }
  return "";
}

Array Wow() {
  std::ifstream file(SLUICE_TEST_DATA "/wow.npy", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  return data::ReadNpy(bytes).value().rows.To(DType::kFloat32);
}

int Main(int argc, char** argv) {
  // Its BLAS's threads too, which `Pin` would not reach.
  flows::SetUpTorch();
  std::vector<char*> arguments(argv, argv + argc);
  const std::string json = TakeFlag("json", arguments), simd = TakeFlag("simd", arguments);
  const std::string growth = TakeFlag("growth", arguments);
  engine::SimdTarget target = engine::SimdTargets().front();
  for (const engine::SimdTarget& one : engine::SimdTargets()) {
    if (one.name == simd) target = one;
  }
  engine::UseSimdTarget(target);
  Suite suite;
  if (growth.empty()) {
    RegisterTable(suite, Wow());
  } else {
    RegisterGrowth(suite);
  }
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  MedianReporter medians;
  benchmark::RunSpecifiedBenchmarks(&medians);
  Print(target.name, suite.rows(), medians, json);
  if (!growth.empty()) std::ofstream(growth, std::ios::binary) << DrawGrowth(medians);
  return 0;
}

}  // namespace
}  // namespace sluiced::bench

int main(int argc, char** argv) { return sluiced::bench::Main(argc, argv); }
