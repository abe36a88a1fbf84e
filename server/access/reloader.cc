#include "server/access/reloader.h"

#include <utility>

namespace sluiced::access {

Reloader::Reloader(std::vector<Poll> polls, std::chrono::milliseconds interval)
    : polls_(std::move(polls)), interval_(interval) {
  if (!polls_.empty()) thread_ = std::thread([this] { Run(); });
}

Reloader::~Reloader() {
  {
    std::lock_guard<std::mutex> lock(mu_);
    stopped_ = true;
  }
  stop_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Reloader::Run() {
  std::unique_lock<std::mutex> lock(mu_);
  while (!stop_.wait_for(lock, interval_, [this] { return stopped_; })) {
    lock.unlock();
    for (const Poll& poll : polls_) poll();
    lock.lock();
  }
}

}  // namespace sluiced::access
