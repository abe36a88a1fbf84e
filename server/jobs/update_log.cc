#include "server/jobs/update_log.h"

#include <algorithm>
#include <utility>

#include "server/common/check.h"
#include "server/jobs/job_state.h"

namespace sluiced::jobs {

void Waiter::Fire() {
  std::lock_guard<std::recursive_mutex> hold(mu_);
  // A copy, because the call may retire this waiter.
  const std::function<void()> ready = ready_;
  if (ready) ready();
}

void Waiter::Retire() {
  std::lock_guard<std::recursive_mutex> hold(mu_);
  ready_ = nullptr;
}

Wakeups::~Wakeups() {
  for (const std::shared_ptr<Waiter>& waiter : waiters_) waiter->Fire();
}

UpdateLog::UpdateLog(int64_t last_sequence, const WatchOptions& options)
    : options_(options), last_sequence_(last_sequence) {}

void UpdateLog::Join() {
  std::lock_guard<std::mutex> hold(mu_);
  ++watchers_;
}

void UpdateLog::Leave(const std::shared_ptr<Waiter>& waiter) {
  std::lock_guard<std::mutex> hold(mu_);
  --watchers_;
  if (waiter->listed) std::erase(waiting_, waiter);
}

void UpdateLog::Publish(const store::UpdateRecord& update, Wakeups* wakeups) {
  std::lock_guard<std::mutex> hold(mu_);
  SLUICED_CHECK(update.sequence == last_sequence_ + 1 && !ended_);
  while (recent_.size() >= static_cast<size_t>(std::max(options_.buffer, 1))) recent_.pop_front();
  recent_.push_back(update);
  last_sequence_ = update.sequence;
  ended_ = IsTerminal(update.state);
  // What is no more than progress may wait for the next one.
  const bool in_turn = CrowdedLocked() && update.state == JobState::kRunning;
  WakeLocked(in_turn ? TurnsLocked() : waiting_.size(), wakeups);
}

void UpdateLog::Close(absl::Status status, Wakeups* wakeups) {
  std::lock_guard<std::mutex> hold(mu_);
  closed_ = std::move(status);
  WakeLocked(waiting_.size(), wakeups);
}

size_t UpdateLog::TurnsLocked() {
  const absl::Time now = options_.now();
  const double seconds = absl::ToDoubleSeconds(now - std::exchange(turns_time_, now));
  // At most for a tenth of a second are saved up; of a clock that went back, none.
  turns_ += options_.crowd_updates_per_second * std::clamp(seconds, 0.0, 0.1);
  turns_ = std::min(turns_, options_.crowd_updates_per_second * 0.1);
  const size_t count = std::min(waiting_.size(), static_cast<size_t>(turns_));
  turns_ -= static_cast<double>(count);
  return count;
}

void UpdateLog::WakeLocked(size_t count, Wakeups* wakeups) {
  for (; count > 0; --count) {
    waiting_.front()->listed = false;
    wakeups->Add(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

absl::StatusOr<UpdateLog::Found> UpdateLog::Next(int64_t after, bool may_skip,
                                                 const std::shared_ptr<Waiter>& waiter) {
  std::lock_guard<std::mutex> hold(mu_);
  if (!closed_.ok()) return closed_;
  if (after >= last_sequence_) {
    if (ended_) return Found{Outcome::kEnded, {}};
    if (!std::exchange(waiter->listed, true)) waiting_.push_back(waiter);
    return Found{Outcome::kWaiting, {}};
  }
  const int64_t first = last_sequence_ + 1 - static_cast<int64_t>(recent_.size());
  const bool gap = after + 1 < first;
  if (recent_.empty() || (gap && !may_skip)) return Found{Outcome::kBehind, {}};
  if (may_skip && CrowdedLocked()) return Found{Outcome::kUpdate, recent_.back()};
  const int64_t index = gap ? 0 : after + 1 - first;
  return Found{Outcome::kUpdate, recent_[static_cast<size_t>(index)]};
}

}  // namespace sluiced::jobs
