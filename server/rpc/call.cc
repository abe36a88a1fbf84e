#include "server/rpc/call.h"

#include <utility>

#include "absl/time/time.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/rpc/headers.h"

namespace sluiced::rpc {
namespace {

constexpr absl::Duration kDrainRetry = absl::Seconds(1);

absl::Status CheckServing(const Runtime& runtime) {
  if (!runtime.draining->load(std::memory_order_acquire)) return absl::OkStatus();
  return WithReason("DRAINING", Unavailable("the server is stopping", kDrainRetry));
}

}  // namespace

Call::Call(const Runtime& runtime, const RpcInfo& rpc, grpc::CallbackServerContext& context)
    : runtime_(runtime),
      rpc_(rpc),
      context_(context),
      metrics_(runtime.metrics->method(IndexOf(rpc))),
      cancelled_(std::make_shared<std::atomic<bool>>(false)),
      caller_(absl::FromChrono(context.deadline()), cancelled_),
      bytes_(runtime.bytes),
      rows_(runtime.rows) {
  metrics_.Begin();
  log_.method = rpc.name;
  log_.request_id = RequestIdOf(context);
  if (observe::RequestLog::Wanted()) log_.trace = TraceOf(context);
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

serving::Executor::Work Call::Timed(serving::Executor::Work work) {
  timer_.Queue();
  return [this, work = std::move(work)](absl::Status wanted) {
    if (wanted.ok()) timer_.Run();
    work(std::move(wanted));
  };
}

absl::Status Call::Post(serving::Executor* executor, serving::Executor::Work work,
                        serving::Lane lane) {
  return executor->Post(caller_, Timed(std::move(work)), lane);
}

void Call::Continue(serving::Executor* executor, serving::Executor::Work work, serving::Lane lane) {
  executor->Continue(caller_, Timed(std::move(work)), lane);
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
  timer_.Rest();
  metrics_.End(status, timer_, log_.rows);
  log_.Write(status, timer_);
  // Now, and not when gRPC lets go of the call: who sees the end may count on it.
  bytes_.Set(0).IgnoreError();
  rows_.Set(0).IgnoreError();
  context_.AddTrailingMetadata(kRequestIdHeader, log_.request_id);
  return ToGrpc(status, log_.request_id);
}

}  // namespace sluiced::rpc
