#include "server/rpc/call.h"

#include <utility>

#include "absl/time/time.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"

namespace sluiced::rpc {
namespace {

constexpr absl::Duration kDrainRetry = absl::Seconds(1);

absl::Status CheckServing(const Runtime& runtime) {
  if (!runtime.draining->load(std::memory_order_acquire)) return absl::OkStatus();
  return Unavailable("the server is stopping", kDrainRetry);
}

}  // namespace

Call::Call(const Runtime& runtime, const RpcInfo& rpc, const grpc::CallbackServerContext& context)
    : runtime_(runtime),
      rpc_(rpc),
      context_(context),
      cancelled_(std::make_shared<std::atomic<bool>>(false)),
      caller_(absl::FromChrono(context.deadline()), cancelled_),
      bytes_(runtime.bytes),
      rows_(runtime.rows) {
  log_.method = rpc.name;
}

// Strangers first: they learn nothing of how the server is.
absl::Status Call::Admit() {
  const absl::Status admitted = rpc::Admit(*runtime_.access, rpc_, context_, &pass_);
  log_.caller = pass_.name;
  RETURN_IF_ERROR(admitted);
  RETURN_IF_ERROR(CheckServing(runtime_));
  return CheckRate(*runtime_.access, pass_, context_);
}

absl::Status Call::HoldRows(int64_t rows) {
  if (rows < 0 || rows > runtime_.limits.rows) return absl::OkStatus();
  return rows_.Set(rows);
}

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
  bytes_.Set(0).IgnoreError();
  rows_.Set(0).IgnoreError();
  return ToGrpc(status);
}

}  // namespace sluiced::rpc
