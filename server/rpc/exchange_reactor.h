// ExchangeReactor: a stream of requests, each answered in order before the next is
// read.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/rpc/call.h"
#include "server/rpc/wire.h"

namespace sluiced::rpc {

// Answers the requests of one stream. Used by one thread at a time.
template <typename Request, typename Reply>
class Responder {
 public:
  virtual ~Responder() = default;
  using Answered = std::function<void(absl::Status)>;
  // On a thread of the executor. Calls `answered` once, on such a thread, now or later;
  // throws nothing.
  virtual void Answer(Call& call, const Request& request, Reply* reply, Answered answered) = 0;
};

// Reads, computes and writes strictly in turn: a client that does not read its
// replies is not read from. Each step starts the next, so that the end has one
// owner; a cancelled call fails the read or write under way. Deletes itself when
// the call is over.
template <typename Request, typename Reply>
class ExchangeReactor final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  ExchangeReactor(const Runtime& runtime, serving::Executor* executor, const RpcInfo& rpc,
                  grpc::CallbackServerContext& context,
                  std::unique_ptr<Responder<Request, Reply>> responder)
      : executor_(executor), responder_(std::move(responder)), call_(runtime, rpc, context) {
    if (const absl::Status admitted = call_.Admit(); !admitted.ok()) {
      End(admitted);
    } else {
      StartRead(&received_);
    }
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      return End(call_.cancelled() ? absl::CancelledError("the caller is gone") : absl::OkStatus());
    }
    absl::Status taken = call_.Hold(received_.Length());
    if (taken.ok()) taken = FromBytes(&received_, &request_);
    if (!taken.ok()) return End(taken);
    call_.Describe(request_);
    auto answer = [this](const absl::Status& wanted) { Answer(wanted); };
    if (std::exchange(admitted_, true)) {
      call_.Continue(executor_, answer, serving::Lane{this});
    } else if (const absl::Status admitted = call_.Post(executor_, answer, serving::Lane{this});
               !admitted.ok()) {
      End(admitted);
    }
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return End(absl::CancelledError("the caller is gone"));
    StartRead(&received_);
  }

  void OnCancel() override { call_.Cancel(); }
  void OnDone() override { delete this; }

 private:
  void Answer(const absl::Status& wanted) {
    if (!wanted.ok()) return End(wanted);
    reply_.Clear();
    if (const absl::Status admitted = call_.AdmitAgain(); !admitted.ok()) return End(admitted);
    responder_->Answer(call_, request_, &reply_, [this](const absl::Status& status) {
      absl::Status written = status.ok() ? ToBytes(reply_, &sent_) : status;
      // The reply and its bytes, until it is read.
      if (written.ok()) written = call_.HoldMore(2 * sent_.Length());
      if (!written.ok()) return End(written);
      call_.Rest();
      StartWrite(&sent_);
    });
  }

  void End(const absl::Status& status) { Finish(call_.End(status)); }

  serving::Executor* const executor_;
  const std::unique_ptr<Responder<Request, Reply>> responder_;
  Call call_;
  bool admitted_ = false;
  grpc::ByteBuffer received_, sent_;
  Request request_;
  Reply reply_;
};

}  // namespace sluiced::rpc
