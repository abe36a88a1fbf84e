// TaskRunner: where the independent parts of a calculation run.
#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"

namespace sluiced::engine {

// One Run at a time. Nothing is allocated by one.
class TaskRunner {
 public:
  // Of the tasks that run at the same time no two have the same worker, a number in
  // [0, workers()): memory to compute in can belong to workers.
  using Task = absl::FunctionRef<void(int64_t task, int worker)>;

  virtual ~TaskRunner() = default;
  virtual int workers() const = 0;
  // task(0, .) ... task(tasks - 1, .) in any order; returns when all have returned.
  virtual void Run(int64_t tasks, Task task) = 0;
};

// One after the other on the calling thread.
class InlineRunner final : public TaskRunner {
 public:
  int workers() const override { return 1; }
  void Run(int64_t tasks, Task task) override {
    for (int64_t i = 0; i < tasks; ++i) task(i, 0);
  }
};

}  // namespace sluiced::engine
