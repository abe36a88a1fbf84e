#include "client/cli/load/load.h"

#include <sys/prctl.h>

#include <optional>
#include <random>
#include <utility>

namespace sluice::cli {
namespace {

// Of an open loop whose server is too slow: those due meanwhile start later.
constexpr int64_t kMostInFlight = 10000;

int64_t Nanoseconds(std::chrono::steady_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

Load::Load(std::unique_ptr<CallQueue> queue, const std::vector<PreparedCall>& calls,
           const LoadShape& shape)
    : queue_(std::move(queue)), calls_(calls), shape_(shape) {
  taker_ = std::thread([this] { TakeEnds(); });
  if (shape_.rate > 0) {
    sender_ = std::thread([this] { SendAtRandom(); });
  }
  for (int i = 0; i < shape_.concurrency; ++i) StartOne(Clock::now());
}

Load::~Load() {
  {
    std::lock_guard<std::mutex> lock(starting_);
    stopping_ = true;
  }
  if (sender_.joinable()) sender_.join();
  queue_->Shutdown();
  taker_.join();
}

Window Load::Cut() {
  std::lock_guard<std::mutex> lock(counting_);
  const Clock::time_point now = Clock::now();
  Window done = std::exchange(window_, Window());
  done.seconds = std::chrono::duration<double>(now - window_start_).count();
  window_start_ = now;
  return done;
}

void Load::StartOne(Clock::time_point due) {
  std::lock_guard<std::mutex> lock(starting_);
  if (stopping_) return;
  in_flight_.fetch_add(1);
  queue_->Start(calls_[next_call_], Nanoseconds(due));
  next_call_ = (next_call_ + 1) % calls_.size();
}

void Load::SendAtRandom() {
  prctl(PR_SET_TIMERSLACK, 1);  // Nanosecond; by default calls start up to 50 us late.
  std::mt19937_64 random(shape_.seed);
  std::exponential_distribution<double> gap(shape_.rate);
  const auto stopping = [this] {
    std::lock_guard<std::mutex> lock(starting_);
    return stopping_;
  };
  Clock::time_point due = Clock::now();
  while (!stopping()) {
    due += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(gap(random)));
    std::this_thread::sleep_until(due);
    in_flight_.wait(kMostInFlight);
    StartOne(due);
  }
}

void Load::TakeEnds() {
  while (const std::optional<CallQueue::Ended> ended = queue_->Next()) {
    Count(*ended);
    if (in_flight_.fetch_sub(1) == kMostInFlight) in_flight_.notify_one();
    if (shape_.rate <= 0) StartOne(Clock::now());
  }
}

void Load::Count(const CallQueue::Ended& ended) {
  std::lock_guard<std::mutex> lock(counting_);
  if (ended.status.ok()) {
    window_.latency.Add(Nanoseconds(Clock::now()) - ended.note);
    return;
  }
  ++window_.errors[ended.status.code];
  if (window_.first_error.ok()) window_.first_error = ended.status;
}

}  // namespace sluice::cli
