#include "server/serving/byte_budget.h"

#include "absl/time/time.h"
#include "server/common/errors.h"

namespace sluiced::serving {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(1);

}  // namespace

absl::Status ByteBudget::Share::Set(int64_t bytes) {
  const int64_t more = bytes - bytes_;
  if (budget_->left_.fetch_sub(more) < more && more > 0) {
    budget_->left_.fetch_add(more);
    return Exhausted("too many bytes wait to be worked on", kRetryDelay);
  }
  bytes_ = bytes;
  return absl::OkStatus();
}

}  // namespace sluiced::serving
