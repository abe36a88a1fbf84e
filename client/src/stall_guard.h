// StallGuard: a deadline for each message of a stream, where gRPC has one for the
// whole call only.
#pragma once

#include <grpcpp/client_context.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "sluice/result.h"

namespace sluice {

// Cancels the call once it makes no progress for `timeout` while armed. Starts
// armed. Thread-safe. The context must outlive it.
class StallGuard {
 public:
  StallGuard(grpc::ClientContext* context, std::chrono::milliseconds timeout);
  ~StallGuard();
  StallGuard(const StallGuard&) = delete;
  StallGuard& operator=(const StallGuard&) = delete;

  void Progress();  // The call moved: the time starts anew.
  void Disarm();    // The caller, not the call, is busy: until the next Progress.

  // The call's status as the caller should see it: DEADLINE_EXCEEDED where the
  // guard cancelled it.
  Status Judge(const grpc::Status& status) const;

 private:
  using Clock = std::chrono::steady_clock;
  void Watch();

  grpc::ClientContext* const context_;
  const std::chrono::milliseconds timeout_;
  mutable std::mutex mu_;
  std::condition_variable changed_;
  std::optional<Clock::time_point> deadline_;  // Guarded by mu_, as what follows.
  bool done_ = false;
  bool stalled_ = false;
  std::thread thread_;
};

// A timeout that can be added to any clock's now without overflow.
std::chrono::milliseconds Sane(std::chrono::milliseconds timeout);

}  // namespace sluice
