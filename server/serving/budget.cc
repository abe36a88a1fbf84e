#include "server/serving/budget.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/common/errors.h"

namespace sluiced::serving {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(1);

}  // namespace

absl::Status Budget::Share::Set(int64_t amount) {
  const int64_t more = amount - amount_;
  if (budget_->left_.fetch_sub(more) < more && more > 0) {
    budget_->left_.fetch_add(more);
    return WithReason(
        budget_->reason_,
        Exhausted(absl::StrCat("too many ", budget_->unit_, " wait to be worked on"), kRetryDelay));
  }
  amount_ = amount;
  return absl::OkStatus();
}

}  // namespace sluiced::serving
