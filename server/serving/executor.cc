#include "server/serving/executor.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/common/check.h"
#include "server/common/errors.h"

namespace sluiced::serving {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(1);
constexpr size_t kNoBound = std::numeric_limits<size_t>::max();

// The parts of one Share. Outlives it for helpers that come too late: they find no
// part left, and touch nothing else.
class Parts {
 public:
  Parts(int64_t parts, absl::FunctionRef<void(int64_t part)> part)
      : parts_(parts), part_(part), unfinished_(parts) {}

  void Do() {
    for (int64_t i = next_.fetch_add(1); i < parts_; i = next_.fetch_add(1)) {
      std::exception_ptr error;
      try {
        part_(i);
      } catch (...) {
        error = std::current_exception();
      }
      std::lock_guard<std::mutex> lock(mu_);
      if (error != nullptr) error_ = error;
      if (--unfinished_ == 0) finished_.notify_all();
    }
  }

  void Wait() {
    std::unique_lock<std::mutex> lock(mu_);
    finished_.wait(lock, [this] { return unfinished_ == 0; });
    if (error_ != nullptr) std::rethrow_exception(error_);
  }

 private:
  const int64_t parts_;
  const absl::FunctionRef<void(int64_t part)> part_;
  std::atomic<int64_t> next_ = 0;
  std::mutex mu_;
  std::condition_variable finished_;
  int64_t unfinished_ ABSL_GUARDED_BY(mu_);
  std::exception_ptr error_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

Executor::Executor(std::string name, int threads, size_t max_queued)
    : name_(std::move(name)),
      max_queued_(max_queued),
      threads_(threads),
      pool_(threads, kNoBound) {}

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

void Executor::Share(int64_t parts, absl::FunctionRef<void(int64_t part)> part) {
  const auto shared = std::make_shared<Parts>(parts, part);
  const int64_t helpers = std::min<int64_t>(parts, threads_) - 1;
  for (int64_t i = 0; i < helpers; ++i) {
    const bool posted = pool_.TryPost([shared] { shared->Do(); });
    SLUICED_CHECK(posted);
  }
  shared->Do();
  shared->Wait();
}

}  // namespace sluiced::serving
