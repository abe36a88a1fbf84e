// Crew: the calling thread and helpers that share tasks of a few microseconds.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "server/engine/task_runner.h"

namespace sluiced::engine {

// Run's caller is worker 0. Helpers look for the next Run for some microseconds,
// giving way to others, and then sleep until there is one. A helper that comes too
// late, because others have its core, delays nobody: the caller has done its part.
class Crew final : public TaskRunner {
 public:
  // workers >= 1, so many threads with the caller's; at most 2^15 tasks a Run.
  explicit Crew(int workers);
  ~Crew() override;
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  int workers() const override { return static_cast<int>(helpers_.size()) + 1; }
  void Run(int64_t tasks, Task task) override;

 private:
  void Help(int worker);
  // Does tasks of the round that `ticket` belongs to, until none is left.
  void Share(uint64_t ticket, int worker);

  // The round, its tasks and those that are taken, in one number (crew.cc): who takes
  // a task by changing it knows that the round was not over, and `task_` its own.
  std::atomic<uint64_t> ticket_ = 0;
  std::atomic<const Task*> task_ = nullptr;
  std::atomic<int32_t> unfinished_ = 0;
  std::atomic<uint32_t> round_ = 0;  // What sleepers wait for.
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> helpers_;
};

}  // namespace sluiced::engine
