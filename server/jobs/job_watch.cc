#include "server/jobs/job_watch.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/status_macros.h"
#include "server/jobs/job_state.h"

namespace sluiced::jobs {
namespace {

constexpr int64_t kPageSize = 256;

}  // namespace

JobWatch::JobWatch(store::Store* store, std::string job, int64_t after_sequence,
                   std::shared_ptr<UpdateLog> log, std::function<void()> ready)
    : store_(store),
      job_(std::move(job)),
      log_(std::move(log)),
      waiter_(std::make_shared<Waiter>(std::move(ready))),
      after_(std::max<int64_t>(after_sequence, 0)) {
  if (log_) log_->Join();
}

JobWatch::~JobWatch() {
  if (log_) log_->Leave(waiter_);
  waiter_->Retire();
}

absl::StatusOr<Watch::Next> JobWatch::TryNext() {
  std::lock_guard<std::mutex> hold(mu_);
  if (ended_) return Next{.update = std::nullopt, .ended = true};
  return log_ ? NextLogged() : NextStored();
}

absl::StatusOr<Watch::Next> JobWatch::NextLogged() {
  ASSIGN_OR_RETURN(UpdateLog::Found found, log_->Next(after_, live_, waiter_));
  if (found.outcome == UpdateLog::Outcome::kBehind) return NextStored();
  page_.clear();
  live_ = true;
  switch (found.outcome) {
    case UpdateLog::Outcome::kUpdate:
      return Give(std::move(found.update));
    case UpdateLog::Outcome::kEnded:
      ended_ = true;
      return Next{.update = std::nullopt, .ended = true};
    default:
      return Next{};
  }
}

absl::StatusOr<Watch::Next> JobWatch::NextStored() {
  if (page_.empty()) {
    ASSIGN_OR_RETURN(std::vector<UpdateRecord> page, store_->ListUpdates(job_, after_, kPageSize));
    page_.assign(std::make_move_iterator(page.begin()), std::make_move_iterator(page.end()));
  }
  if (page_.empty()) {
    if (log_) return absl::InternalError(absl::StrCat("updates of ", job_, " are missing"));
    ended_ = true;
    return Next{.update = std::nullopt, .ended = true};
  }
  UpdateRecord update = std::move(page_.front());
  page_.pop_front();
  return Give(std::move(update));
}

Watch::Next JobWatch::Give(UpdateRecord update) {
  after_ = update.sequence;
  ended_ = IsTerminal(update.state);
  return Next{.update = std::move(update), .ended = false};
}

}  // namespace sluiced::jobs
