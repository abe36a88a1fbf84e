// After warm-up the engine allocates nothing, and its memory is a tile's.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <vector>

#include "server/engine/adam.h"
#include "server/engine/crew.h"
#include "server/engine/plan.h"
#include "server/engine/training_plan.h"
#include "tests/engine/engine_support.h"

namespace {

std::atomic<int64_t> allocations = 0;

void* Allocate(size_t size, size_t alignment) {
  ++allocations;
  void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return Allocate(size, alignof(std::max_align_t)); }
void* operator new(size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace sluiced::engine {
namespace {

constexpr int64_t kRows = 1000;
constexpr Shape kFlow = {2, 8, 32, 2, DType::kFloat32};

template <typename Work>
void ExpectNoAllocation(Work work) {
  work();
  const int64_t before = allocations;
  for (int i = 0; i < 3; ++i) work();
  EXPECT_EQ(allocations, before);
}

class Allocations : public testing::TestWithParam<flows::Architecture> {
 protected:
  const Case case_ = CaseOf(GetParam(), kFlow, true, true);
  const flows::FlowSpec& spec_ = case_.spec;
  const Array parameters_ = ParametersOf(spec_);
  const Array x_ = Points(kRows, spec_);
  std::vector<float> image_ = std::vector<float>(2 * kRows), row_ = std::vector<float>(kRows);
};

std::vector<flows::Architecture> InEngine() {
  std::vector<flows::Architecture> all = flows::AllArchitectures();
  std::erase_if(all, [](flows::Architecture one) {
    return !flows::IsInEngine(CaseOf(one, kFlow, true, true).spec);
  });
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, Allocations, testing::ValuesIn(InEngine()),
                         [](const auto& run) { return std::to_string(run.index); });

TEST_P(Allocations, NoneInScoringAndSampling) {
  const Plan<float> plan(spec_, case_.map, parameters_.as<float>());
  Workspace<float> workspace;
  const auto x = x_.as<float>();
  ExpectNoAllocation([&] { plan.LogProb(x, row_, workspace); });
  ExpectNoAllocation([&] { plan.ToBase(x, image_, row_, workspace); });
  ExpectNoAllocation([&] { plan.FromBase(x, image_, row_, workspace); });
  ExpectNoAllocation([&] { plan.Sample(kSeed, 0, {}, image_, row_, workspace); });
}

TEST_P(Allocations, NoneInATrainingStep) {
  for (int threads : {1, 2}) {
    Crew crew(threads);
    TrainingPlan<float> plan(spec_, case_.map, parameters_.as<float>(), &crew);
    std::vector<float> parameters(parameters_.as<float>().begin(), parameters_.as<float>().end());
    std::vector<float> gradient(parameters.size()), first(gradient), second(gradient);
    const SlopeFunction<float> slope = [](size_t, std::span<const float>, std::span<float>) {};
    const auto learn = [&] {
      const std::span<const float> along = gradient;
      const AdamStep step = {.gradient_scale = ClipScale(Norm(along), 5)};
      Update<float>(step, along, {parameters, first, second}, {parameters, first, second});
      plan.Update(parameters);
    };
    const auto steps = [&] {
      plan.Likelihood(x_.as<float>(), gradient);
      learn();
      plan.ReverseKl(x_.as<float>(), Score::kDrop, slope, gradient);
      learn();
    };
    ExpectNoAllocation(steps);
  }
}

TEST_P(Allocations, TheWorkspaceIsATilesNotTheRows) {
  const Plan<float> plan(spec_, case_.map, parameters_.as<float>());
  Workspace<float> workspace;
  const auto x = x_.as<float>();
  plan.LogProb(x.first(2), std::span(row_).first(1), workspace);
  const int64_t before = allocations;
  plan.LogProb(x, row_, workspace);
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace sluiced::engine
