// Reloader: a thread that looks now and then whether files have changed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"

namespace sluiced::access {

// What it polls must outlive it. The destructor waits for a poll under way.
class Reloader {
 public:
  using Poll = std::function<void()>;
  // Without polls there is no thread.
  Reloader(std::vector<Poll> polls, std::chrono::milliseconds interval);
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

 private:
  void Run();

  const std::vector<Poll> polls_;
  const std::chrono::milliseconds interval_;
  std::mutex mu_;
  std::condition_variable stop_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace sluiced::access
