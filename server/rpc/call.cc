#include "server/rpc/call.h"

#include <google/protobuf/descriptor.h>

#include <utility>

#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "server/common/errors.h"

namespace sluiced::rpc {
namespace {

constexpr absl::Duration kDrainRetry = absl::Seconds(1);

}  // namespace

Call::Call(const Runtime& runtime, const grpc::CallbackServerContext& context)
    : cancelled_(std::make_shared<std::atomic<bool>>(false)),
      caller_(absl::FromChrono(context.deadline()), cancelled_),
      share_(runtime.budget) {}

void Call::Cancel() {
  std::function<void()> left;
  {
    std::lock_guard<std::mutex> lock(mu_);
    cancelled_->store(true, std::memory_order_release);
    left = std::exchange(left_, nullptr);
  }
  if (left) left();
}

void Call::OnLeave(std::function<void()> left) {
  {
    std::lock_guard<std::mutex> lock(mu_);
    if (!cancelled()) {
      left_ = std::move(left);
      return;
    }
  }
  left();
}

grpc::Status Call::End(const absl::Status& status) {
  log_.Write(status);
  // Now, and not when gRPC lets go of the call: who sees the end may count on it.
  share_.Set(0).IgnoreError();
  return ToGrpc(status);
}

std::string Call::MethodOf(const google::protobuf::Descriptor& request) {
  return std::string(absl::StripSuffix(request.name(), "Request"));
}

absl::Status CheckServing(const Runtime& runtime) {
  if (!runtime.draining->load(std::memory_order_acquire)) return absl::OkStatus();
  return Unavailable("the server is stopping", kDrainRetry);
}

}  // namespace sluiced::rpc
