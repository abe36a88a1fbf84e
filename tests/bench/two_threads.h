// TwoThreads: the caller and one helper share tasks.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>

namespace sluiced::bench {

// The helper spins for work, giving way to others: a benchmark's own, so that what is
// measured is the work, not the waking up. It exists from the first Run on.
class TwoThreads {
 public:
  TwoThreads() = default;
  ~TwoThreads() {
    if (!helper_.joinable()) return;
    stop_ = true;
    round_.fetch_add(1, std::memory_order_release);
    helper_.join();
  }

  void Run(int64_t tasks, const std::function<void(int64_t)>& task) {
    if (!helper_.joinable()) helper_ = std::thread([this] { Help(); });
    task_ = &task;
    tasks_ = tasks;
    next_.store(0, std::memory_order_relaxed);
    done_.store(false, std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    Drain();
    while (!done_.load(std::memory_order_acquire)) std::this_thread::yield();
  }

 private:
  void Drain() {
    for (int64_t i = next_.fetch_add(1); i < tasks_; i = next_.fetch_add(1)) (*task_)(i);
  }
  void Help() {
    for (int64_t seen = 0;;) {
      const int64_t now = round_.load(std::memory_order_acquire);
      if (now == seen) {
        std::this_thread::yield();
        continue;
      }
      seen = now;
      if (stop_) return;
      Drain();
      done_.store(true, std::memory_order_release);
    }
  }

  const std::function<void(int64_t)>* task_ = nullptr;
  int64_t tasks_ = 0;
  std::atomic<int64_t> next_ = 0, round_ = 0;
  std::atomic<bool> done_ = false, stop_ = false;
  std::thread helper_;
};

}  // namespace sluiced::bench
