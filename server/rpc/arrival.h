// Arrival: hands a result of other threads to the source of a stream, which is woken.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"

namespace sluiced::rpc {

// One result at a time. TryTake is for one thread at a time; what Receiver gives may be
// called on any, and outlive this.
template <typename T>
class Arrival {
 public:
  // `wake` as Next::kLater says.
  explicit Arrival(std::function<void()> wake) : state_(std::make_shared<State>()) {
    state_->wake = std::move(wake);
  }
  // May wait for a call of `wake` that is under way.
  ~Arrival() {
    std::lock_guard<std::mutex> lock(state_->mu);
    state_->wake = nullptr;
  }
  Arrival(const Arrival&) = delete;
  Arrival& operator=(const Arrival&) = delete;

  // For the one who makes the next result: called once.
  std::function<void(absl::StatusOr<T>)> Receiver() {
    return [state = state_](absl::StatusOr<T> result) {
      std::lock_guard<std::mutex> lock(state->mu);
      state->result = std::move(result);
      if (state->wake) state->wake();
    };
  }

  // Nullopt: not yet; `wake` is called once there is a result.
  std::optional<absl::StatusOr<T>> TryTake() {
    std::lock_guard<std::mutex> lock(state_->mu);
    return std::exchange(state_->result, std::nullopt);
  }

 private:
  struct State {
    std::mutex mu;
    std::function<void()> wake ABSL_GUARDED_BY(mu);
    std::optional<absl::StatusOr<T>> result ABSL_GUARDED_BY(mu);
  };

  const std::shared_ptr<State> state_;
};

}  // namespace sluiced::rpc
