#include "server/serving/executor.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/common/check.h"
#include "server/common/errors.h"

namespace sluiced::serving {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(1);
constexpr size_t kNoBound = std::numeric_limits<size_t>::max();

}  // namespace

Executor::Executor(std::string name, int threads, size_t max_queued)
    : name_(std::move(name)), max_queued_(max_queued), pool_(threads, kNoBound) {}

absl::Status Executor::Post(const Caller& caller, Work work) {
  if (queued_.fetch_add(1) >= max_queued_) {
    queued_.fetch_sub(1);
    return Exhausted(absl::StrCat("the ", name_, " queue is full"), kRetryDelay);
  }
  Continue(caller, [this, work = std::move(work)](absl::Status wanted) {
    queued_.fetch_sub(1);
    work(std::move(wanted));
  });
  return absl::OkStatus();
}

void Executor::Continue(const Caller& caller, Work work) {
  const bool posted = pool_.TryPost([caller, work = std::move(work)] { work(caller.Check()); });
  SLUICED_CHECK(posted);
}

}  // namespace sluiced::serving
