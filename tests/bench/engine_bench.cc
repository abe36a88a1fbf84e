// The engine beside LibTorch's eager operations, in one process, on one thread and
// on two. One thread is pinned to a core and measured by the process's processor
// time, so that others on the machine count for little and helpers that a library
// starts count too; two threads, and jobs, are measured by the clock.
#include <benchmark/benchmark.h>
#include <sched.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/data/readers.h"
#include "server/engine/crew.h"
#include "server/engine/simd_target.h"
#include "server/flows/torch_setup.h"
#include "tests/bench/bench_table.h"
#include "tests/bench/engine_work.h"
#include "tests/bench/job_work.h"
#include "tests/bench/peak.h"
#include "tests/bench/torch_work.h"

namespace sluiced::bench {
namespace {

enum class Timing { kProcessor, kClock };

void Pin(int threads) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  for (int core = 0; core < threads; ++core) CPU_SET(core, &cores);
  sched_setaffinity(0, sizeof(cores), &cores);
  SetTorchThreads(threads);
}

// `make` runs within the benchmark, so that only what is measured is held.
void Register(const std::string& name, int64_t items, int threads, Timing timing,
              std::function<Work()> make) {
  auto* one = benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    Pin(threads);
    const Work work = make();
    work();
    for (auto _ : state) work();
    state.SetItemsProcessed(state.iterations() * items);
  });
  one->Repetitions(5)->ReportAggregatesOnly()->MinTime(0.15);
  if (timing == Timing::kClock) {
    one->UseRealTime();
  } else {
    one->MeasureProcessCPUTime();
  }
}

template <typename T>
void RegisterPeak(const std::string& name, int threads) {
  constexpr int kRounds = 100000;
  const auto operations = static_cast<int64_t>(MultiplyAdd<T>(1)) * kRounds;
  Register(absl::StrCat("peak/", name, "/t", threads), operations * threads, threads,
           threads == 1 ? Timing::kProcessor : Timing::kClock, [threads] {
             auto crew = std::make_shared<engine::Crew>(threads);
             return [crew, threads] {
               crew->Run(threads,
                         [](int64_t, int) { benchmark::DoNotOptimize(MultiplyAdd<T>(kRounds)); });
             };
           });
}

constexpr Shape kSeedsFlow = {2, 8, 32, DType::kFloat32};

class Suite {
 public:
  void LogProb(const Shape& shape, int64_t rows, int threads = 1) {
    const std::string name = Add("log_prob", shape, rows, threads, 1);
    All(
        name, rows, threads, [=] { return EngineLogProb(shape, rows, threads); },
        [=] { return ModulesLogProb(shape, rows); }, [=] { return ReferenceLogProb(shape, rows); });
  }
  void Sample(const Shape& shape, int64_t rows) {
    const std::string name = Add("sample", shape, rows, 1, 1);
    All(
        name, rows, 1, [=] { return EngineSample(shape, rows); },
        [=] { return ModulesSample(shape, rows); }, [=] { return ReferenceSample(shape, rows); });
  }
  void Step(const Shape& shape, int64_t rows, int threads = 1) {
    const std::string name = Add("train_step", shape, rows, threads, 3);
    All(
        name, rows, threads, [=] { return EngineStep(shape, rows, threads); },
        [=] { return ModulesStep(shape, rows); }, [=] { return ReferenceStep(shape, rows); });
  }
  void Job(const Array& rows, int threads) {
    const std::string name = Add("epoch_wow", kSeedsFlow, kJobBatch, threads, 3);
    Register(absl::StrCat("engine/", name), kJobEpochs * rows.rows(), threads, Timing::kClock,
             WatchedJob);
    Register(absl::StrCat("modules/", name), rows.rows(), threads, Timing::kClock,
             [=] { return ModulesEpoch(rows, kJobBatch); });
  }
  // Both processes on two cores: as a caller sees it.
  void Call(int64_t rows) {
    const std::string name = Add("call_log_prob", kSeedsFlow, rows, 2, 1);
    Register(absl::StrCat("engine/", name), rows, 2, Timing::kClock,
             [=] { return CalledLogProb(rows); });
  }
  const std::vector<Row>& rows() const { return rows_; }

 private:
  using Make = std::function<Work()>;

  std::string Add(const std::string& what, const Shape& shape, int64_t rows, int threads,
                  double passes) {
    const std::string name = absl::StrCat(what, "/", NameOf(shape), "/b", rows, "/t", threads);
    const char* type = shape.dtype == DType::kFloat32 ? "f32" : "f64";
    rows_.push_back({name, absl::StrCat("peak/", type, "/t", threads), passes * FlopsOf(shape)});
    return name;
  }
  static void All(const std::string& name, int64_t rows, int threads, const Make& engine,
                  const Make& modules, const Make& reference) {
    const Timing timing = threads == 1 ? Timing::kProcessor : Timing::kClock;
    Register(absl::StrCat("engine/", name), rows, threads, timing, engine);
    Register(absl::StrCat("modules/", name), rows, threads, timing, modules);
    Register(absl::StrCat("reference/", name), rows, threads, timing, reference);
  }

  std::vector<Row> rows_;
};

void RegisterTable(Suite& suite, const Array& wow) {
  for (int64_t rows : {1, 256, 4096, 65536}) suite.LogProb(kSeedsFlow, rows);
  suite.Sample(kSeedsFlow, 4096);
  for (int64_t rows : {256, 1024}) suite.Step(kSeedsFlow, rows);
  suite.Job(wow, 1);
  const Shape others[] = {{2, 8, 64, DType::kFloat32},  {2, 8, 128, DType::kFloat32},
                          {2, 8, 512, DType::kFloat32}, {16, 8, 32, DType::kFloat32},
                          {64, 8, 64, DType::kFloat32}, {2, 8, 32, DType::kFloat64},
                          {16, 8, 64, DType::kFloat64}};
  for (const Shape& shape : others) {
    suite.LogProb(shape, 4096);
    suite.Step(shape, 256);
  }
  suite.LogProb(kSeedsFlow, 65536, 2);
  suite.Step(kSeedsFlow, 1024, 2);
  suite.Job(wow, 2);
  for (int64_t rows : {1, 256, 65536}) suite.Call(rows);
}

// One thing at a time grows.
void RegisterGrowth(Suite& suite) {
  const auto measure = [&](const Shape& shape, int64_t rows) {
    suite.LogProb(shape, rows);
    suite.Step(shape, rows);
  };
  constexpr int64_t kRows = 1024;
  for (int64_t rows : {1, 4, 16, 64, 256, 1024, 4096, 16384}) measure(kSeedsFlow, rows);
  for (int64_t layers : {1, 2, 4, 16, 32}) measure({2, layers, 32, DType::kFloat32}, kRows);
  for (int64_t hidden : {8, 16, 64, 128, 256}) measure({2, 8, hidden, DType::kFloat32}, kRows);
  for (int64_t dim : {4, 8, 16, 32, 64}) measure({dim, 8, 32, DType::kFloat32}, kRows);
}

// Whether --NAME or --NAME=VALUE is there, which Google Benchmark is not to see.
bool TakeFlag(const std::string& name, std::vector<char*>& arguments, std::string* value) {
  const std::string prefix = absl::StrCat("--", name);
  for (auto it = arguments.begin(); it != arguments.end(); ++it) {
    if (std::strncmp(*it, prefix.c_str(), prefix.size()) != 0) continue;
    const char* rest = *it + prefix.size();
    if (*rest != '\0' && *rest != '=') continue;
    if (value != nullptr && *rest == '=') *value = rest + 1;
    arguments.erase(it);
    return true;
  }
  return false;
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
  std::string json, simd;
  TakeFlag("json", arguments, &json);
  TakeFlag("simd", arguments, &simd);
  const bool growth = TakeFlag("growth", arguments, nullptr);
  engine::SimdTarget target = engine::SimdTargets().front();
  for (const engine::SimdTarget& one : engine::SimdTargets()) {
    if (one.name == simd) target = one;
  }
  engine::UseSimdTarget(target);
  Suite suite;
  for (int threads : {1, 2}) {
    RegisterPeak<float>("f32", threads);
    RegisterPeak<double>("f64", threads);
  }
  if (growth) {
    RegisterGrowth(suite);
  } else {
    RegisterTable(suite, Wow());
  }
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  MedianReporter medians;
  benchmark::RunSpecifiedBenchmarks(&medians);
  Print(target.name, suite.rows(), medians, json);
  return 0;
}

}  // namespace
}  // namespace sluiced::bench

int main(int argc, char** argv) { return sluiced::bench::Main(argc, argv); }
