// What every call has, whatever its shape, and the unary shape.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "server/common/catch_all.h"
#include "server/observe/call_timer.h"
#include "server/observe/method_metrics.h"
#include "server/observe/request_log.h"
#include "server/rpc/gate.h"
#include "server/rpc/rpc.h"
#include "server/rpc/runtime.h"
#include "server/rpc/status_mapping.h"
#include "server/serving/budget.h"
#include "server/serving/caller.h"
#include "server/serving/executor.h"

namespace sluiced::rpc {

// Owned by the call's reactor. Cancel may be called on any thread; the rest by one
// thread at a time.
class Call {
 public:
  Call(const Runtime& runtime, const RpcInfo& rpc, grpc::CallbackServerContext& context);

  // Once, before anything of the request is looked at: UNAUTHENTICATED,
  // PERMISSION_DENIED, UNAVAILABLE while the server stops, RESOURCE_EXHAUSTED for a
  // caller who comes too often. Every call of every service passes here.
  absl::Status Admit();
  // Before each further message of a stream: a token that was taken back ends it.
  absl::Status AdmitAgain() { return rpc::AdmitAgain(*runtime_.access, rpc_, &pass_); }

  // New work of the call's, and the next piece of it: as the executor's own, timed. Once
  // a piece has done what it can and the call goes on without a thread, it must Rest.
  absl::Status Post(serving::Executor* executor, serving::Executor::Work work,
                    serving::Lane lane = {});
  void Continue(serving::Executor* executor, serving::Executor::Work work, serving::Lane lane = {});
  // Of what is done without these.
  observe::CallTimer& timer() { return timer_; }
  void Rest() { timer_.Rest(); }

  const serving::Caller& caller() const { return caller_; }
  void Cancel();
  bool cancelled() const { return cancelled_->load(std::memory_order_acquire); }

  // `left` is called when the caller leaves, at once when he has: on any thread, while
  // the call lasts. It never blocks. Takes the place of the one before.
  void OnLeave(std::function<void()> left);

  // What the request says for the log line: its resource, by the field `model` or
  // `name` or `parent` or `model_name`.
  template <typename Request>
  void Describe(const Request& request) {
    if (!log_.resource.empty()) return;
    if constexpr (requires { log_.resource = request.name(); }) {
      log_.resource = request.name();
    } else if constexpr (requires { log_.resource = request.parent(); }) {
      log_.resource = request.parent();
    } else if constexpr (requires { log_.resource = request.model(); }) {
      log_.resource = request.model();
    } else if constexpr (requires { log_.resource = request.model_name(); }) {
      log_.resource = request.model_name();
    }
  }
  // Rows that were found to be there, never those that a stranger claims: their sum
  // would overflow.
  void AddRows(int64_t rows) { log_.rows += rows; }

  // Counts the rows of a message that was received, or is to be made, in place of those
  // before: RESOURCE_EXHAUSTED when all calls together wait for too many. More than one
  // message may have are not counted: the call will be refused.
  absl::Status HoldRows(int64_t rows);

  // Counts what the call holds in memory, in place of what it held or beside it.
  // RESOURCE_EXHAUSTED when all calls hold too much.
  absl::Status Hold(size_t bytes) { return bytes_.Set(static_cast<int64_t>(bytes)); }
  absl::Status HoldMore(size_t bytes) {
    return bytes_.Set(bytes_.amount() + static_cast<int64_t>(bytes));
  }

  // Counts the call and writes its log line: the reactor finishes with what this
  // returns.
  grpc::Status End(const absl::Status& status);

 private:
  serving::Executor::Work Timed(serving::Executor::Work work);

  const Runtime& runtime_;
  const RpcInfo& rpc_;
  grpc::CallbackServerContext& context_;
  observe::MethodMetrics& metrics_;
  observe::CallTimer timer_;
  const std::shared_ptr<std::atomic<bool>> cancelled_;
  const serving::Caller caller_;
  Pass pass_;
  serving::Budget::Share bytes_, rows_;
  observe::RequestLog log_;
  std::mutex mu_;
  std::function<void()> left_ ABSL_GUARDED_BY(mu_);
};

class UnaryReactor final : public grpc::ServerUnaryReactor {
 public:
  UnaryReactor(const Runtime& runtime, const RpcInfo& rpc, grpc::CallbackServerContext& context)
      : call_(runtime, rpc, context) {}

  Call& call() { return call_; }
  // Once. The reactor may be gone when this returns.
  void End(const absl::Status& status) { Finish(call_.End(status)); }

  // Runs work() on a thread of `executor`: it ends the call, now or later. Ends the call
  // instead when there is no room, or nobody wants the answer any more.
  template <typename Work>
  void Post(serving::Executor* executor, serving::Lane lane, Work work) {
    const absl::Status posted = call_.Post(
        executor,
        [this, work = std::move(work)](const absl::Status& wanted) {
          wanted.ok() ? work() : End(wanted);
        },
        lane);
    if (!posted.ok()) End(posted);
  }

  void OnCancel() override { call_.Cancel(); }
  void OnDone() override { delete this; }

 private:
  Call call_;
};

// Runs start(reactor), on a thread of gRPC's: it ends the call, now or later.
template <typename Request, typename Start>
grpc::ServerUnaryReactor* StartUnaryCall(const Runtime& runtime, const RpcInfo& rpc,
                                         grpc::CallbackServerContext& context,
                                         const Request& request, Start start) {
  auto* reactor = new UnaryReactor(runtime, rpc, context);
  reactor->call().Describe(request);
  absl::Status admitted = reactor->call().Admit();
  if (admitted.ok()) admitted = reactor->call().Hold(request.ByteSizeLong());
  admitted.ok() ? start(reactor) : reactor->End(admitted);
  return reactor;
}

// Runs handle(call) -> absl::Status on a thread of `executor` and ends the call with
// what it returns.
template <typename Request, typename Handle>
grpc::ServerUnaryReactor* UnaryCall(const Runtime& runtime, serving::Executor* executor,
                                    const RpcInfo& rpc, grpc::CallbackServerContext& context,
                                    const Request& request, Handle handle) {
  return StartUnaryCall(runtime, rpc, context, request,
                        [executor, handle = std::move(handle)](UnaryReactor* reactor) {
                          reactor->Post(executor, serving::Lane{}, [reactor, handle] {
                            reactor->End(CatchAll([&] { return handle(reactor->call()); }));
                          });
                        });
}

// The same for what waits for the store.
template <typename Request, typename Handle>
grpc::ServerUnaryReactor* IoCall(const Runtime& runtime, const RpcInfo& rpc,
                                 grpc::CallbackServerContext& context, const Request& request,
                                 Handle handle) {
  return UnaryCall(runtime, runtime.io, rpc, context, request, std::move(handle));
}

}  // namespace sluiced::rpc
