#include "server/engine/crew.h"

#include "server/common/check.h"

namespace sluiced::engine {
namespace {

// A ticket: 32 bits of round, 16 of tasks, 16 of the next task.
constexpr int kTasksShift = 16, kRoundShift = 32;
constexpr uint64_t kMask = 0xffff;

uint64_t RoundOf(uint64_t ticket) { return ticket >> kRoundShift; }
uint64_t TasksOf(uint64_t ticket) { return ticket >> kTasksShift & kMask; }
uint64_t NextOf(uint64_t ticket) { return ticket & kMask; }

// About as long as it takes to fall asleep and be woken.
constexpr int kLooks = 200;

void GiveWay() { std::this_thread::yield(); }

}  // namespace

Crew::Crew(int workers) {
  for (int worker = 1; worker < workers; ++worker) {
    helpers_.emplace_back([this, worker] { Help(worker); });
  }
}

Crew::~Crew() {
  stopping_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

void Crew::Run(int64_t tasks, Task task) {
  SLUICED_CHECK(tasks >= 0 && tasks < int64_t{1} << 15);
  if (helpers_.empty() || tasks < 2) {
    for (int64_t i = 0; i < tasks; ++i) task(i, 0);
    return;
  }
  task_.store(&task, std::memory_order_relaxed);
  unfinished_.store(static_cast<int32_t>(tasks), std::memory_order_relaxed);
  const uint64_t ticket = (RoundOf(ticket_.load(std::memory_order_relaxed)) + 1) << kRoundShift |
                          static_cast<uint64_t>(tasks) << kTasksShift;
  ticket_.store(ticket, std::memory_order_release);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  Share(ticket, 0);
  int32_t unfinished = unfinished_.load(std::memory_order_acquire);
  for (int looks = 0; unfinished != 0; ++looks) {
    if (looks < kLooks) {
      GiveWay();
    } else {
      unfinished_.wait(unfinished, std::memory_order_acquire);
    }
    unfinished = unfinished_.load(std::memory_order_acquire);
  }
}

void Crew::Help(int worker) {
  uint32_t seen = 0;
  for (;;) {
    for (int looks = 0; round_.load(std::memory_order_acquire) == seen; ++looks) {
      if (looks < kLooks) {
        GiveWay();
      } else {
        round_.wait(seen, std::memory_order_acquire);
      }
    }
    seen = round_.load(std::memory_order_acquire);
    if (stopping_.load(std::memory_order_relaxed)) return;
    Share(ticket_.load(std::memory_order_acquire), worker);
  }
}

void Crew::Share(uint64_t ticket, int worker) {
  const uint64_t round = RoundOf(ticket);
  while (RoundOf(ticket) == round && NextOf(ticket) < TasksOf(ticket)) {
    const Task* task = task_.load(std::memory_order_acquire);
    if (!ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel)) continue;
    (*task)(static_cast<int64_t>(NextOf(ticket)), worker);
    if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
    ticket = ticket_.load(std::memory_order_acquire);
  }
}

}  // namespace sluiced::engine
