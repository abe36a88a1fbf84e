#include "server/serving/batcher.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "server/common/catch_all.h"
#include "server/common/status_macros.h"

namespace sluiced::serving {
namespace {

// The rows of all parts, one part after the other.
Array Join(const std::vector<const Array*>& parts) {
  int64_t rows = 0;
  for (const Array* part : parts) rows += part->rows();
  Array joined(parts.front()->dtype(), {rows, parts.front()->cols()});
  auto out = joined.bytes().begin();
  for (const Array* part : parts) out = std::copy(part->bytes().begin(), part->bytes().end(), out);
  return joined;
}

}  // namespace

Batcher::Batcher(Executor* compute, const BatcherOptions& options)
    : compute_(compute), options_(options) {
  if (options_.delay > absl::ZeroDuration()) timer_ = std::thread([this] { PostWhenDue(); });
}

Batcher::~Batcher() {
  if (!timer_.joinable()) return;
  {
    std::lock_guard<std::mutex> lock(mu_);
    stopping_ = true;
  }
  changed_.notify_all();
  timer_.join();
}

size_t Batcher::waiting() const {
  std::lock_guard<std::mutex> lock(mu_);
  return waiting_;
}

void Batcher::LogProb(FlowPtr flow, Array x, const Caller& caller, Done<Scores> done,
                      std::function<void()> begun) {
  const int64_t rows = x.rows();
  {
    std::lock_guard<std::mutex> lock(mu_);
    if (waiting_ < options_.max_waiting) {
      ++waiting_;
      Line& line = lines_[flow.get()];
      if (line.calls.empty()) {
        line.flow = std::move(flow);
        line.due = Clock::now() + absl::ToChronoNanoseconds(options_.delay);
      }
      line.calls.push_back({std::move(x), caller, std::move(done), std::move(begun)});
      line.rows += rows;
      if (!timer_.joinable() || line.rows >= options_.max_rows) {
        PostLocked(&line);
      } else {
        changed_.notify_all();
      }
      return;
    }
  }
  done(QueueFull("compute"));
}

void Batcher::PostLocked(Line* line) {
  if (std::exchange(line->posted, true)) return;
  compute_->Continue(
      Caller(), [this, flow = line->flow](const absl::Status&) { RunBatch(flow); },
      Lane{line->flow.get()});
}

std::deque<Batcher::Call> Batcher::TakeLocked(Lines::iterator at) {
  Line& line = at->second;
  const int64_t max_rows = std::min(options_.max_rows, BlockRows(*line.flow));
  std::deque<Call> taken;
  int64_t rows = 0;
  while (!line.calls.empty()) {
    const int64_t more = line.calls.front().x.rows();
    if (!taken.empty() && rows + more > max_rows) break;
    rows += more;
    taken.push_back(std::move(line.calls.front()));
    line.calls.pop_front();
  }
  waiting_ -= taken.size();
  line.rows -= rows;
  line.posted = false;
  if (line.calls.empty()) {
    lines_.erase(at);
  } else {
    PostLocked(&line);  // Behind the other lines.
  }
  return taken;
}

void Batcher::TellBegun(const std::vector<Call*>& calls) const {
  int64_t rows = 0;
  for (const Call* call : calls) {
    rows += call->x.rows();
    if (call->begun) call->begun();
  }
  if (options_.on_batch) options_.on_batch(static_cast<int64_t>(calls.size()), rows);
}

void Batcher::RunBatch(const FlowPtr& flow) {
  std::deque<Call> calls;
  {
    std::lock_guard<std::mutex> lock(mu_);
    calls = TakeLocked(lines_.find(flow.get()));
  }
  std::vector<const Array*> parts;
  std::vector<Call*> wanted;
  for (Call& call : calls) {
    if (const absl::Status status = call.caller.Check(); !status.ok()) {
      call.done(status);
    } else {
      wanted.push_back(&call);
      parts.push_back(&call.x);
    }
  }
  if (wanted.empty()) return;
  TellBegun(wanted);
  const absl::StatusOr<Array> log_prob = CatchAll([&] {
    return parts.size() == 1 ? flow->LogProb(*parts.front()) : flow->LogProb(Join(parts));
  });
  int64_t first = 0;
  for (Call* call : wanted) {
    const int64_t rows = call->x.rows();
    call->done(CatchAll([&]() -> absl::StatusOr<Scores> {
      RETURN_IF_ERROR(log_prob.status());
      Scores scores = {wanted.size() == 1 ? *log_prob : log_prob->Rows(first, rows), {}};
      scores.not_finite = NotFinite({&scores.log_prob});
      return scores;
    }));
    first += rows;
  }
}

void Batcher::PostWhenDue() {
  std::unique_lock<std::mutex> lock(mu_);
  while (!stopping_) {
    const Clock::time_point now = Clock::now();
    Clock::time_point next = Clock::time_point::max();
    for (auto& [flow, line] : lines_) {
      if (line.posted) continue;
      if (line.due <= now) {
        PostLocked(&line);
      } else {
        next = std::min(next, line.due);
      }
    }
    if (next == Clock::time_point::max()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, next);
    }
  }
}

}  // namespace sluiced::serving
