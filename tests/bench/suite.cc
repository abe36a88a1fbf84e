#include "tests/bench/suite.h"

#include <benchmark/benchmark.h>
#include <sched.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "server/engine/crew.h"
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

Timing TimingOf(int threads) { return threads == 1 ? Timing::kProcessor : Timing::kClock; }

template <typename T>
void RegisterPeak(const std::string& name, int threads) {
  constexpr int kRounds = 100000;
  const auto operations = static_cast<int64_t>(MultiplyAdd<T>(1)) * kRounds;
  Register(name, operations * threads, threads, TimingOf(threads), [threads] {
    auto crew = std::make_shared<engine::Crew>(threads);
    return [crew, threads] {
      crew->Run(threads, [](int64_t, int) { benchmark::DoNotOptimize(MultiplyAdd<T>(kRounds)); });
    };
  });
}

}  // namespace

void Suite::LogProb(const Shape& shape, int64_t rows, int threads) {
  const std::string name = Add("log_prob", shape, rows, threads, 1);
  All(
      name, shape, rows, threads, [=] { return EngineLogProb(shape, rows, threads); },
      [=] { return ModulesLogProb(shape, rows); }, [=] { return ReferenceLogProb(shape, rows); });
}

void Suite::Sample(const Shape& shape, int64_t rows) {
  const std::string name = Add("sample", shape, rows, 1, 1);
  All(
      name, shape, rows, 1, [=] { return EngineSample(shape, rows); },
      [=] { return ModulesSample(shape, rows); }, [=] { return ReferenceSample(shape, rows); });
}

void Suite::Step(const Shape& shape, int64_t rows, int threads) {
  const std::string name = Add("train_step", shape, rows, threads, 3);
  All(
      name, shape, rows, threads, [=] { return EngineStep(shape, rows, threads); },
      [=] { return ModulesStep(shape, rows); }, [=] { return ReferenceStep(shape, rows); });
}

void Suite::Job(const Array& rows, int threads) {
  const std::string name = Add("epoch_wow", kSeedsFlow, kJobBatch, threads, 3);
  Register(absl::StrCat("engine/", name), kJobEpochs * rows.rows(), threads, Timing::kClock,
           WatchedJob);
  Register(absl::StrCat("modules/", name), rows.rows(), threads, Timing::kClock,
           [=] { return ModulesEpoch(rows, kJobBatch); });
}

void Suite::Call(int64_t rows) {
  const std::string name = Add("call_log_prob", kSeedsFlow, rows, 2, 1);
  Register(absl::StrCat("engine/", name), rows, 2, Timing::kClock,
           [=] { return CalledLogProb(rows); });
}

std::string Suite::Add(const std::string& what, const Shape& shape, int64_t rows, int threads,
                       double passes) {
  const std::string name = absl::StrCat(what, "/", NameOf(shape), "/b", rows, "/t", threads);
  const bool wide = shape.dtype == DType::kFloat64;
  rows_.push_back({name, wide ? "f64" : "f32", threads, passes * FlopsOf(shape)});
  if (wide) {
    RegisterPeak<double>(PeakOf(rows_.back()), threads);
  } else {
    RegisterPeak<float>(PeakOf(rows_.back()), threads);
  }
  return name;
}

void Suite::All(const std::string& name, const Shape& shape, int64_t rows, int threads,
                const Make& engine, const Make& modules, const Make& reference) {
  Register(absl::StrCat("engine/", name), rows, threads, TimingOf(threads), engine);
  // Only the seed's architecture is spelt out in modules.
  if (shape.architecture == flows::Architecture::kRealNvp) {
    Register(absl::StrCat("modules/", name), rows, threads, TimingOf(threads), modules);
  }
  Register(absl::StrCat("reference/", name), rows, threads, TimingOf(threads), reference);
}

}  // namespace sluiced::bench
