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

void Wakeups::Add(std::vector<std::shared_ptr<Waiter>> waiters) {
  waiters_.insert(waiters_.end(), std::make_move_iterator(waiters.begin()),
                  std::make_move_iterator(waiters.end()));
}

UpdateLog::UpdateLog(int64_t last_sequence, size_t capacity)
    : capacity_(std::max<size_t>(capacity, 1)), last_sequence_(last_sequence) {}

void UpdateLog::Publish(const store::UpdateRecord& update, Wakeups* wakeups) {
  std::lock_guard<std::mutex> hold(mu_);
  SLUICED_CHECK(update.sequence == last_sequence_ + 1 && !ended_);
  if (recent_.size() == capacity_) recent_.pop_front();
  recent_.push_back(update);
  last_sequence_ = update.sequence;
  ended_ = IsTerminal(update.state);
  wakeups->Add(std::exchange(waiting_, {}));
}

void UpdateLog::Close(absl::Status status, Wakeups* wakeups) {
  std::lock_guard<std::mutex> hold(mu_);
  closed_ = std::move(status);
  wakeups->Add(std::exchange(waiting_, {}));
}

absl::StatusOr<UpdateLog::Found> UpdateLog::Next(int64_t after, bool may_skip,
                                                 const std::shared_ptr<Waiter>& waiter) {
  std::lock_guard<std::mutex> hold(mu_);
  if (!closed_.ok()) return closed_;
  if (after >= last_sequence_) {
    if (ended_) return Found{Outcome::kEnded, {}};
    if (std::ranges::find(waiting_, waiter) == waiting_.end()) waiting_.push_back(waiter);
    return Found{Outcome::kWaiting, {}};
  }
  const int64_t first = last_sequence_ + 1 - static_cast<int64_t>(recent_.size());
  const bool gap = after + 1 < first;
  if (recent_.empty() || (gap && !may_skip)) return Found{Outcome::kBehind, {}};
  const int64_t index = gap ? 0 : after + 1 - first;
  return Found{Outcome::kUpdate, recent_[static_cast<size_t>(index)]};
}

void UpdateLog::Forget(const std::shared_ptr<Waiter>& waiter) {
  std::lock_guard<std::mutex> hold(mu_);
  std::erase(waiting_, waiter);
}

}  // namespace sluiced::jobs
