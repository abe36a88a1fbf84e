// Every task runs once, whoever comes in time, and workers' memory is their own.
#include "server/engine/crew.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <vector>

namespace sluiced::engine {
namespace {

class Crews : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Workers, Crews, testing::Values(1, 2, 3, 8));

TEST_P(Crews, RunEveryTaskOnce) {
  Crew crew(GetParam());
  EXPECT_EQ(crew.workers(), GetParam());
  for (int64_t tasks : {0, 1, 2, 7, 1000}) {
    std::vector<std::atomic<int>> runs(static_cast<size_t>(tasks));
    crew.Run(tasks, [&](int64_t task, int) { ++runs[static_cast<size_t>(task)]; });
    for (const auto& one : runs) EXPECT_EQ(one, 1);
  }
}

TEST_P(Crews, MemoryOfAWorkerIsItsOwn) {
  Crew crew(GetParam());
  // Not atomic: a race would show under ThreadSanitizer, a lost count here.
  std::vector<int64_t> counts(static_cast<size_t>(GetParam()));
  int64_t expected = 0;
  for (int round = 0; round < 3000; ++round) {
    const int64_t tasks = round % 9;
    crew.Run(tasks, [&](int64_t, int worker) { ++counts[static_cast<size_t>(worker)]; });
    expected += tasks;
  }
  int64_t sum = 0;
  for (int64_t count : counts) sum += count;
  EXPECT_EQ(sum, expected);
}

// What a Run read and wrote is its caller's again when it returns.
TEST_P(Crews, ResultsAreThereAtTheEnd) {
  Crew crew(GetParam());
  std::vector<int64_t> values(64);
  for (int64_t round = 1; round <= 1000; ++round) {
    crew.Run(64, [&](int64_t task, int) { values[static_cast<size_t>(task)] += round; });
    for (int64_t value : values) ASSERT_EQ(value, round * (round + 1) / 2);
  }
}

TEST_P(Crews, HelpersAreFoundAsleep) {
  Crew crew(GetParam());
  for (int round = 0; round < 20; ++round) {
    std::atomic<int64_t> sum = 0;
    crew.Run(8, [&](int64_t task, int) { sum += task; });
    EXPECT_EQ(sum, 28);
    // Other threads come and go meanwhile: the helpers stop looking and sleep.
    for (int i = 0; i < 500; ++i) std::this_thread::yield();
  }
}

}  // namespace
}  // namespace sluiced::engine
