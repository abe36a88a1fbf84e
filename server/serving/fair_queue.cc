#include "server/serving/fair_queue.h"

#include <algorithm>

#include "server/common/check.h"

namespace sluiced::serving {

void FairQueue::Push(Lane lane, Work work) {
  std::lock_guard<std::mutex> lock(mu_);
  const auto [at, is_new] = lines_.try_emplace(lane);
  Line& line = at->second;
  if (line.waiting.empty()) {
    if (is_new) line.used = used_;
    line.turn = ++turns_;
    waiting_.emplace(Place(line.used, line.turn), lane);
  }
  line.waiting.push_back(std::move(work));
}

std::pair<Lane, FairQueue::Work> FairQueue::Pop() {
  std::lock_guard<std::mutex> lock(mu_);
  SLUICED_CHECK(!waiting_.empty());
  const Lane lane = waiting_.begin()->second;
  waiting_.erase(waiting_.begin());
  Line& line = lines_.at(lane);
  Work work = std::move(line.waiting.front());
  line.waiting.pop_front();
  ++line.running;
  used_ = std::max(used_, line.used);
  if (!line.waiting.empty()) {
    line.turn = ++turns_;
    waiting_.emplace(Place(line.used, line.turn), lane);
  }
  return {lane, std::move(work)};
}

void FairQueue::Charge(Lane lane, absl::Duration used) {
  std::lock_guard<std::mutex> lock(mu_);
  const auto at = lines_.find(lane);
  Line& line = at->second;
  --line.running;
  if (line.waiting.empty() && line.running == 0) {
    lines_.erase(at);
    return;
  }
  const auto place = line.waiting.empty() ? waiting_.end() : waiting_.find({line.used, line.turn});
  line.used += used;
  if (place == waiting_.end()) return;
  waiting_.erase(place);
  waiting_.emplace(Place(line.used, line.turn), lane);
}

}  // namespace sluiced::serving
