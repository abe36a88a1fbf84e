// CallTimer: how long a call waited for a thread, and how long it had one.
#pragma once

#include <chrono>

namespace sluiced::observe {

// A call is at rest until it is queued, then runs, and may do so again and again: the
// steps of a stream. Used by one thread at a time.
class CallTimer {
 public:
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;

  CallTimer() = default;
  CallTimer(const CallTimer&) = delete;
  CallTimer& operator=(const CallTimer&) = delete;

  void Queue() { Pass(&queued_); }
  void Run() {
    ran_ = true;
    Pass(&running_);
  }
  // Neither: it waits for its caller, for a model, or has ended.
  void Rest() { Pass(nullptr); }

  bool ran() const { return ran_; }
  double queued() const { return Seconds(queued_).count(); }
  double running() const { return Seconds(running_).count(); }
  // From the construction to the last change.
  double total() const { return Seconds(since_ - start_).count(); }

 private:
  // What passed counts as what it was; from now on as `next`.
  void Pass(Clock::duration* next) {
    const Clock::time_point now = Clock::now();
    if (counts_as_ != nullptr) *counts_as_ += now - since_;
    counts_as_ = next;
    since_ = now;
  }

  const Clock::time_point start_ = Clock::now();
  Clock::time_point since_ = start_;
  Clock::duration queued_{0};
  Clock::duration running_{0};
  Clock::duration* counts_as_ = nullptr;
  bool ran_ = false;
};

}  // namespace sluiced::observe
