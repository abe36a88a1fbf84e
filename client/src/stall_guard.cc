#include "client/src/stall_guard.h"

#include <algorithm>

#include "client/src/status.h"

namespace sluice {

std::chrono::milliseconds Sane(std::chrono::milliseconds timeout) {
  return std::clamp(timeout, std::chrono::milliseconds(0),
                    std::chrono::milliseconds(std::chrono::hours(24 * 365)));
}

StallGuard::StallGuard(grpc::ClientContext* context, std::chrono::milliseconds timeout)
    : context_(context),
      timeout_(Sane(timeout)),
      deadline_(Clock::now() + timeout_),
      thread_([this] { Watch(); }) {}

StallGuard::~StallGuard() {
  {
    std::lock_guard lock(mu_);
    done_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

// The watching thread sleeps through a later deadline and looks again when it
// wakes, so that progress costs no wake-up.
void StallGuard::Progress() {
  std::lock_guard lock(mu_);
  const bool was_disarmed = !deadline_.has_value();
  deadline_ = Clock::now() + timeout_;
  if (was_disarmed) changed_.notify_one();
}

void StallGuard::Disarm() {
  std::lock_guard lock(mu_);
  deadline_.reset();
}

Status StallGuard::Judge(const grpc::Status& status) const {
  Status result = FromGrpc(status);
  std::lock_guard lock(mu_);
  if (stalled_ && result.code == Code::kCancelled) {
    result.code = Code::kDeadlineExceeded;
    result.message = "the stream made no progress for " + std::to_string(timeout_.count()) + " ms";
  }
  return result;
}

void StallGuard::Watch() {
  std::unique_lock lock(mu_);
  while (!done_ && !stalled_) {
    if (!deadline_) {
      changed_.wait(lock);
    } else if (const Clock::time_point deadline = *deadline_; Clock::now() < deadline) {
      changed_.wait_until(lock, deadline);
    } else {
      stalled_ = true;
      context_->TryCancel();
    }
  }
}

}  // namespace sluice
