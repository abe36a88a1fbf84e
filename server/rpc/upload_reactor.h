// UploadReactor: a stream of parts from the client, with one reply.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "server/common/status_macros.h"
#include "server/rpc/call.h"
#include "server/rpc/wire.h"

namespace sluiced::rpc {

// Takes the parts of one upload. Used by one thread at a time, one of the
// executor's: may wait for the store.
template <typename Request, typename Reply>
class Sink {
 public:
  virtual ~Sink() = default;
  virtual absl::Status Take(Request* part) = 0;
  // All parts came: nothing is to be stored before.
  virtual absl::Status Store(Call& call, Reply* reply) = 0;
};

// Reads and takes parts strictly in turn; each step starts the next, so that the
// end has one owner. Deletes itself when the call is over.
template <typename Request, typename Reply>
class UploadReactor final : public grpc::ServerReadReactor<grpc::ByteBuffer> {
 public:
  UploadReactor(const Runtime& runtime, const RpcInfo& rpc, grpc::CallbackServerContext& context,
                std::unique_ptr<Sink<Request, Reply>> sink, grpc::ByteBuffer* reply)
      : executor_(runtime.io), sink_(std::move(sink)), reply_(reply), call_(runtime, rpc, context) {
    if (const absl::Status admitted = call_.Admit(); !admitted.ok()) {
      End(admitted);
    } else {
      StartRead(&received_);
    }
  }

  void OnReadDone(bool ok) override {
    if (ok) return Run([this] { return TakePart(); }, [this] { ReadNext(); });
    // A read ends alike when all was sent and when the client is lost. Only in the
    // first case does a write succeed, so that half an upload is never taken for a
    // whole one.
    StartSendInitialMetadata();
  }

  void OnSendInitialMetadataDone(bool ok) override {
    if (!ok) return End(absl::CancelledError("the caller is gone"));
    Run([this] { return StoreAll(); }, [this] { End(absl::OkStatus()); });
  }

  void OnCancel() override { call_.Cancel(); }
  void OnDone() override { delete this; }

 private:
  absl::Status TakePart() {
    RETURN_IF_ERROR(call_.AdmitAgain());
    RETURN_IF_ERROR(call_.HoldMore(received_.Length()));
    RETURN_IF_ERROR(FromBytes(&received_, &part_));
    return sink_->Take(&part_);
  }

  absl::Status StoreAll() {
    RETURN_IF_ERROR(call_.AdmitAgain());
    Reply stored;
    RETURN_IF_ERROR(sink_->Store(call_, &stored));
    return ToBytes(stored, reply_);
  }

  // Runs step() on the executor, then then() if it succeeded.
  template <typename Step, typename Then>
  void Run(Step step, Then then) {
    const auto work = [this, step, then](absl::Status wanted) {
      const absl::Status done = wanted.ok() ? CatchAll(step) : wanted;
      call_.Rest();
      done.ok() ? then() : End(done);
    };
    if (std::exchange(admitted_, true)) {
      call_.Continue(executor_, work);
    } else if (const absl::Status admitted = call_.Post(executor_, work); !admitted.ok()) {
      End(admitted);
    }
  }

  void ReadNext() {
    part_.Clear();
    StartRead(&received_);
  }
  void End(const absl::Status& status) { Finish(call_.End(status)); }

  serving::Executor* const executor_;
  const std::unique_ptr<Sink<Request, Reply>> sink_;
  grpc::ByteBuffer* const reply_;
  Call call_;
  bool admitted_ = false;
  grpc::ByteBuffer received_;
  Request part_;
};

}  // namespace sluiced::rpc
