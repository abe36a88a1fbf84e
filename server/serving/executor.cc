#include "server/serving/executor.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/common/check.h"
#include "server/common/errors.h"

namespace sluiced::serving {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(1);
constexpr size_t kNoBound = std::numeric_limits<size_t>::max();

// The parts of one ForParts.
struct Parts {
  const int64_t count;
  const std::function<void(int64_t part)> part;
  const std::function<void()> done;
  std::atomic<int64_t> next = 0;
  std::atomic<int64_t> unfinished = count;
};

}  // namespace

absl::Status QueueFull(absl::string_view queue) {
  return WithReason("QUEUE_FULL",
                    Exhausted(absl::StrCat("the ", queue, " queue is full"), kRetryDelay));
}

Executor::Executor(std::string name, int threads, size_t max_queued)
    : name_(std::move(name)),
      max_queued_(max_queued),
      threads_(threads),
      pool_(threads, kNoBound) {}

absl::Status Executor::Post(const Caller& caller, Work work, Lane lane) {
  if (queued_.fetch_add(1) >= max_queued_) {
    queued_.fetch_sub(1);
    return QueueFull(name_);
  }
  Continue(
      caller,
      [this, work = std::move(work)](absl::Status wanted) {
        queued_.fetch_sub(1);
        work(std::move(wanted));
      },
      lane);
  return absl::OkStatus();
}

void Executor::Continue(const Caller& caller, Work work, Lane lane) {
  Push(lane, [caller, work = std::move(work)] { work(caller.Check()); });
}

void Executor::ForParts(int64_t parts, std::function<void(int64_t part)> part,
                        std::function<void()> done) {
  const auto shared = std::make_shared<Parts>(parts, std::move(part), std::move(done));
  const Lane lane{shared.get()};
  // Each thread's way through the parts; it waits in line between any two.
  struct Go {
    void operator()() const {
      const int64_t i = shared->next.fetch_add(1);
      if (i >= shared->count) return;
      shared->part(i);
      if (shared->unfinished.fetch_sub(1) == 1) return shared->done();
      if (shared->next.load() < shared->count) executor->Push(Lane{shared.get()}, *this);
    }
    Executor* executor;
    std::shared_ptr<Parts> shared;
  };
  for (int64_t i = 0; i < std::min<int64_t>(parts, threads_); ++i) Push(lane, Go{this, shared});
}

void Executor::Push(Lane lane, FairQueue::Work work) {
  queue_.Push(lane, std::move(work));
  // One run for each piece: whichever is due by then.
  const bool posted = pool_.TryPost([this] {
    const auto [due, run] = queue_.Pop();
    const auto start = std::chrono::steady_clock::now();
    run();
    queue_.Charge(due, absl::FromChrono(std::chrono::steady_clock::now() - start));
  });
  SLUICED_CHECK(posted);
}

}  // namespace sluiced::serving
