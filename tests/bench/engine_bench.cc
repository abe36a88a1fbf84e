// The engine beside LibTorch's eager operations, in one process, on one thread and
// on two. One thread is pinned to a core and measured by the process's processor
// time, so that others on the machine count for little and helpers that a library
// starts count too; two are measured by the clock.
#include <benchmark/benchmark.h>
#include <sched.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/common/philox.h"
#include "server/engine/adam.h"
#include "server/engine/plan.h"
#include "server/engine/simd_target.h"
#include "server/engine/training_plan.h"
#include "server/flows/flow.h"
#include "server/flows/parameters.h"
#include "server/flows/real_nvp.h"
#include "server/flows/torch_setup.h"
#include "tests/bench/bench_table.h"
#include "tests/bench/peak.h"
#include "tests/bench/two_threads.h"
#include "tests/flows/tensors.h"

namespace sluiced::bench {
namespace {

constexpr uint64_t kSeed = 3;

struct Shape {
  int64_t dim, layers, hidden;
  DType dtype;
};

std::string NameOf(const Shape& shape) {
  return absl::StrCat("d", shape.dim, "_l", shape.layers, "_h", shape.hidden,
                      shape.dtype == DType::kFloat32 ? "/f32" : "/f64");
}

flows::FlowState StateOf(const Shape& shape) {
  flows::FlowSpec spec;
  spec.dim = shape.dim;
  spec.layers = shape.layers;
  spec.hidden = shape.hidden;
  spec.dtype = shape.dtype;
  spec.initialization = flows::Initialization::kUniform;
  flows::Standardization map;
  map.shift.assign(static_cast<size_t>(shape.dim), 0.1);
  map.scale.assign(static_cast<size_t>(shape.dim), 1.5);
  return {spec, flows::InitialParameters(spec, kSeed), map};
}

Array Points(int64_t rows, const Shape& shape) {
  Array x(DType::kFloat64, {rows, shape.dim});
  NormalRows<double>(kSeed, Stream::kEvaluate, 0, 0, shape.dim, x.as<double>());
  return x.To(shape.dtype);
}

// A calculation, ready to run again and again.
using Work = std::function<void()>;

template <typename T>
Work EngineLogProb(const Shape& shape, int64_t rows, int threads) {
  struct Held {
    engine::Plan<T> plan;
    Array x, log_prob;
    engine::Workspace<T> workspaces[2];
    TwoThreads pool;
  };
  const flows::FlowState state = StateOf(shape);
  auto held = std::make_shared<Held>(
      engine::Plan<T>(state.spec, state.standardization, state.parameters.as<T>()),
      Points(rows, shape), Array(shape.dtype, {rows}));
  return [held, rows, threads, dim = shape.dim] {
    const auto part = [&](int64_t i) {
      const auto first = static_cast<size_t>(i * rows / threads);
      const auto count = static_cast<size_t>((i + 1) * rows / threads) - first;
      const auto columns = static_cast<size_t>(dim);
      held->plan.LogProb(
          std::as_const(held->x).template as<T>().subspan(first * columns, count * columns),
          held->log_prob.template as<T>().subspan(first, count), held->workspaces[i]);
    };
    if (threads == 1) return part(0);
    held->pool.Run(threads, part);
  };
}

template <typename T>
Work EngineSample(const Shape& shape, int64_t rows) {
  const flows::FlowState state = StateOf(shape);
  auto plan = std::make_shared<engine::Plan<T>>(state.spec, state.standardization,
                                                state.parameters.as<T>());
  auto workspace = std::make_shared<engine::Workspace<T>>();
  auto x = std::make_shared<Array>(shape.dtype, std::vector<int64_t>{rows, shape.dim});
  auto log_prob = std::make_shared<Array>(shape.dtype, std::vector<int64_t>{rows});
  return [=] { plan->Sample(kSeed, 0, x->as<T>(), log_prob->as<T>(), *workspace); };
}

template <typename T>
Work EngineStep(const Shape& shape, int64_t rows, int threads) {
  struct Held {
    engine::TrainingPlan<T> plan;
    Array x, parameters, gradient, first, second;
    int64_t updates = 0;
    TwoThreads pool;
  };
  flows::FlowState state = StateOf(shape);
  const Array like(shape.dtype, state.parameters.shape());
  auto held =
      std::make_shared<Held>(engine::TrainingPlan<T>(state.spec, state.standardization,
                                                     std::as_const(state.parameters).as<T>()),
                             Points(rows, shape), state.parameters, like, like, like);
  engine::TaskRunner runner = engine::RunInline;
  if (threads == 2) {
    runner = [pool = &held->pool](int64_t tasks, const auto& task) { pool->Run(tasks, task); };
  }
  return [held, runner] {
    const auto x = std::as_const(held->x).template as<T>();
    const auto gradient = std::as_const(held->gradient).template as<T>();
    held->plan.Likelihood(x, held->gradient.template as<T>(), runner);
    const engine::AdamStep step = {
        .learning_rate = 1e-4,
        .updates = ++held->updates,
        .gradient_scale = engine::ClipScale(engine::Norm<T>(gradient), 5)};
    engine::Update<T>(step, gradient, held->parameters.template as<T>(),
                      held->first.template as<T>(), held->second.template as<T>());
    held->plan.Update(std::as_const(held->parameters).template as<T>());
  };
}

Work TorchLogProb(const Shape& shape, int64_t rows) {
  const flows::FlowState state = StateOf(shape);
  auto flow = std::make_shared<flows::RealNvp>(state.spec, state.standardization);
  const torch::Tensor parameters = flows::TensorOf(state.parameters);
  const torch::Tensor x = flows::TensorOf(Points(rows, shape));
  const flows::ConditionerViews views(state.spec, parameters);
  return [=] {
    const torch::InferenceMode guard;
    benchmark::DoNotOptimize(flow->LogProb(views, x).data_ptr());
  };
}

Work TorchSample(const Shape& shape, int64_t rows) {
  const flows::FlowState state = StateOf(shape);
  auto flow = std::make_shared<flows::RealNvp>(state.spec, state.standardization);
  const flows::ConditionerViews views(state.spec, flows::TensorOf(state.parameters));
  const auto type = shape.dtype == DType::kFloat32 ? torch::kFloat32 : torch::kFloat64;
  return [=, dim = shape.dim] {
    const torch::InferenceMode guard;
    const torch::Tensor z = torch::randn({rows, dim}, type);
    const flows::RealNvp::Result image = flow->FromBase(views, z);
    benchmark::DoNotOptimize((flows::StandardNormalLogProb(z) - image.ladj).data_ptr());
  };
}

Work TorchStep(const Shape& shape, int64_t rows) {
  const flows::FlowState state = StateOf(shape);
  auto flow = std::make_shared<flows::RealNvp>(state.spec, state.standardization);
  torch::Tensor parameters = flows::TensorOf(state.parameters).requires_grad_();
  const torch::Tensor x = flows::TensorOf(Points(rows, shape));
  auto adam = std::make_shared<torch::optim::Adam>(std::vector<torch::Tensor>{parameters},
                                                   torch::optim::AdamOptions(1e-4));
  return [=] {
    adam->zero_grad();
    const torch::Tensor loss = -flow->LogProb(parameters, x).mean();
    loss.backward();
    adam->step();
    benchmark::DoNotOptimize(loss.item<double>());
  };
}

void Pin(int threads) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  for (int core = 0; core < threads; ++core) CPU_SET(core, &cores);
  sched_setaffinity(0, sizeof(cores), &cores);
  torch::set_num_threads(threads);
}

// `make` runs within the benchmark, so that only what is measured is held.
void Register(const std::string& name, int64_t items, int threads, std::function<Work()> make) {
  auto* one = benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    Pin(threads);
    const Work work = make();
    work();
    for (auto _ : state) work();
    state.SetItemsProcessed(state.iterations() * items);
  });
  one->Repetitions(5)->ReportAggregatesOnly()->MinTime(0.15);
  if (threads > 1) {
    one->UseRealTime();
  } else {
    one->MeasureProcessCPUTime();
  }
}

template <typename T>
void RegisterPeak(const std::string& name) {
  constexpr int kRounds = 100000;
  const auto operations = static_cast<int64_t>(MultiplyAdd<T>(1));
  Register(absl::StrCat("peak/", name), operations * kRounds, 1,
           [] { return [] { benchmark::DoNotOptimize(MultiplyAdd<T>(kRounds)); }; });
}

double FlopsOf(const Shape& shape) {
  const flows::FlowState state = StateOf(shape);
  const engine::Plan<double> plan(state.spec, state.standardization,
                                  std::as_const(state.parameters).To(DType::kFloat64).as<double>());
  return 2.0 * static_cast<double>(plan.multiply_adds());
}

class Suite {
 public:
  void LogProb(const Shape& shape, int64_t rows, int threads = 1) {
    const std::string name = Add("log_prob", shape, rows, threads, 1);
    Register(absl::StrCat("engine/", name), rows, threads, [=] {
      return shape.dtype == DType::kFloat32 ? EngineLogProb<float>(shape, rows, threads)
                                            : EngineLogProb<double>(shape, rows, threads);
    });
    Register(absl::StrCat("torch/", name), rows, threads,
             [=] { return TorchLogProb(shape, rows); });
  }
  void Sample(const Shape& shape, int64_t rows) {
    const std::string name = Add("sample", shape, rows, 1, 1);
    Register(absl::StrCat("engine/", name), rows, 1, [=] {
      return shape.dtype == DType::kFloat32 ? EngineSample<float>(shape, rows)
                                            : EngineSample<double>(shape, rows);
    });
    Register(absl::StrCat("torch/", name), rows, 1, [=] { return TorchSample(shape, rows); });
  }
  void Step(const Shape& shape, int64_t rows, int threads = 1) {
    const std::string name = Add("train_step", shape, rows, threads, 3);
    Register(absl::StrCat("engine/", name), rows, threads, [=] {
      return shape.dtype == DType::kFloat32 ? EngineStep<float>(shape, rows, threads)
                                            : EngineStep<double>(shape, rows, threads);
    });
    Register(absl::StrCat("torch/", name), rows, threads, [=] { return TorchStep(shape, rows); });
  }
  const std::vector<Row>& rows() const { return rows_; }

 private:
  std::string Add(const std::string& what, const Shape& shape, int64_t rows, int threads,
                  double passes) {
    const std::string name = absl::StrCat(what, "/", NameOf(shape), "/b", rows, "/t", threads);
    const char* peak = shape.dtype == DType::kFloat32 ? "f32" : "f64";
    rows_.push_back({name, peak, passes * FlopsOf(shape), threads});
    return name;
  }

  std::vector<Row> rows_;
};

void RegisterAll(Suite& suite) {
  RegisterPeak<float>("f32");
  RegisterPeak<double>("f64");
  const Shape seed = {2, 8, 32, DType::kFloat32};
  for (int64_t rows : {1, 256, 4096, 65536}) suite.LogProb(seed, rows);
  suite.Sample(seed, 4096);
  for (int64_t rows : {256, 1024}) suite.Step(seed, rows);
  const Shape others[] = {{2, 8, 64, DType::kFloat32},  {2, 8, 128, DType::kFloat32},
                          {2, 8, 512, DType::kFloat32}, {16, 8, 32, DType::kFloat32},
                          {64, 8, 64, DType::kFloat32}, {2, 8, 32, DType::kFloat64},
                          {16, 8, 64, DType::kFloat64}};
  for (const Shape& shape : others) {
    suite.LogProb(shape, 4096);
    suite.Step(shape, 256);
  }
  suite.LogProb(seed, 65536, 2);
  suite.Step(seed, 1024, 2);
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

int Main(int argc, char** argv) {
  // Its BLAS's threads too, which `Pin` would not reach.
  flows::SetUpTorch();
  std::vector<char*> arguments(argv, argv + argc);
  const std::string json = TakeFlag("json", arguments);
  const std::string simd = TakeFlag("simd", arguments);
  const std::vector<engine::SimdTarget> targets = engine::SimdTargets();
  engine::SimdTarget target = targets.front();
  for (const engine::SimdTarget& one : targets) {
    if (one.name == simd) target = one;
  }
  engine::UseSimdTarget(target);
  Suite suite;
  RegisterAll(suite);
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  MedianReporter medians;
  benchmark::RunSpecifiedBenchmarks(&medians);
  std::printf("SIMD %s, peak %.1f GFLOP/s in float32, %.1f in float64, a core\n",
              target.name.c_str(), medians.Median("peak/f32") * 1e-9,
              medians.Median("peak/f64") * 1e-9);
  Print(suite.rows(), medians, json);
  return 0;
}

}  // namespace
}  // namespace sluiced::bench

int main(int argc, char** argv) { return sluiced::bench::Main(argc, argv); }
