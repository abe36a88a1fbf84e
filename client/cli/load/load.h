// Load: calls that go on until it is destroyed.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "client/cli/load/window.h"
#include "client/src/call_queue.h"

namespace sluice::cli {

// One of the two.
struct LoadShape {
  int concurrency = 0;  // Closed loop: as many calls in flight, each end starts one.
  double rate = 0;      // Open loop: calls a second, at random (Poisson) moments.
  uint64_t seed = 1;    // Of those moments.
};

// A latency of a closed loop is from a call's start to its end. That of an open loop is
// from the moment at which the call was due, so that one that started late because the
// server kept others up counts as late. Thread-safe.
class Load {
 public:
  // Starts. `calls` are sent in turn and outlive the load.
  Load(std::unique_ptr<CallQueue> queue, const std::vector<PreparedCall>& calls,
       const LoadShape& shape);
  // Starts no more calls, and waits for those in flight.
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // What ended since the last cut, or the start.
  Window Cut();

 private:
  using Clock = std::chrono::steady_clock;

  void StartOne(Clock::time_point due);
  void SendAtRandom();
  void TakeEnds();
  void Count(const CallQueue::Ended& ended);

  const std::unique_ptr<CallQueue> queue_;
  const std::vector<PreparedCall>& calls_;
  const LoadShape shape_;
  std::atomic<int64_t> in_flight_ = 0;

  std::mutex starting_;
  // Guarded by starting_.
  bool stopping_ = false;
  size_t next_call_ = 0;

  std::mutex counting_;
  // Guarded by counting_.
  Window window_;
  Clock::time_point window_start_ = Clock::now();

  std::thread taker_;
  std::thread sender_;  // Of an open loop.
};

}  // namespace sluice::cli
