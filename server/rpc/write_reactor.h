// WriteReactor: a stream of messages to the client, made one at a time as it reads
// them.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/common/status_macros.h"
#include "server/rpc/call.h"

namespace sluiced::rpc {

enum class Next {
  kMessage,  // There is a message to send.
  kLater,    // Nothing yet: the source's `wake` is called once there may be.
  kEnd,      // The stream ends OK.
};

// Where the messages of a stream come from. Used by one thread at a time.
template <typename Reply>
class Source {
 public:
  virtual ~Source() = default;
  // On a thread of the executor: may compute, may wait for the store.
  virtual absl::StatusOr<Next> Produce(Call& call, Reply* reply) = 0;
};

// At any time one message is being made, or one is being written, or the source is
// waited for; the end is decided once, under the lock. Deletes itself when the call
// is over.
template <typename Reply>
class WriteReactor final : public grpc::ServerWriteReactor<Reply> {
 public:
  // Called once, first, on a thread of the executor. `wake` may be called on any
  // thread as long as the source lives; it never blocks.
  using Open =
      std::function<absl::StatusOr<std::unique_ptr<Source<Reply>>>(std::function<void()> wake)>;

  template <typename Request>
  WriteReactor(const Runtime& runtime, serving::Executor* executor, const RpcInfo& rpc,
               grpc::CallbackServerContext& context, const Request& request, Open open)
      : executor_(executor), open_(std::move(open)), call_(runtime, rpc, context) {
    std::lock_guard<std::mutex> lock(mu_);
    call_.Describe(request);
    absl::Status admitted = call_.Admit();
    if (admitted.ok()) {
      busy_ = true;
      admitted = call_.Post(
          executor_, [this](absl::Status wanted) { Make(wanted); }, serving::Lane{this});
    }
    if (admitted.ok()) return;
    busy_ = false;
    end_ = std::move(admitted);
    AdvanceLocked();
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard<std::mutex> lock(mu_);
    busy_ = false;
    if (!ok) end_ = absl::CancelledError("the caller is gone");
    AdvanceLocked();
  }

  void OnCancel() override {
    std::lock_guard<std::mutex> lock(mu_);
    call_.Cancel();
    if (!end_) end_ = absl::CancelledError("the caller is gone");
    AdvanceLocked();
  }

  void OnDone() override {
    // Whoever decided the end may still hold it.
    mu_.lock();
    mu_.unlock();
    delete this;
  }

 private:
  void Wake() {
    std::lock_guard<std::mutex> lock(mu_);
    woken_ = true;
    AdvanceLocked();
  }

  // Starts what comes next unless something is under way. Waits for nothing.
  void AdvanceLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (busy_ || finished_) return;
    if (end_) {
      finished_ = true;
      this->Finish(call_.End(*end_));
    } else if (std::exchange(message_ready_, false)) {
      busy_ = true;
      woken_ = true;  // The source is asked again when this is written.
      this->StartWrite(&message_);
    } else if (std::exchange(woken_, false)) {
      busy_ = true;
      call_.Continue(
          executor_, [this](absl::Status wanted) { Make(wanted); }, serving::Lane{this});
    }
  }

  // On a thread of the executor, while busy_: source_ and message_ are this
  // thread's.
  void Make(const absl::Status& wanted) {
    const absl::StatusOr<Next> next =
        wanted.ok() ? CatchAll([this] { return MakeNext(); }) : absl::StatusOr<Next>(wanted);
    std::lock_guard<std::mutex> lock(mu_);
    busy_ = false;
    call_.Rest();
    if (!next.ok()) {
      end_ = next.status();
    } else if (*next == Next::kEnd) {
      end_ = absl::OkStatus();
    } else {
      message_ready_ = *next == Next::kMessage;
    }
    AdvanceLocked();
  }

  absl::StatusOr<Next> MakeNext() {
    if (source_ == nullptr) {
      ASSIGN_OR_RETURN(source_, open_([this] { Wake(); }));
    }
    RETURN_IF_ERROR(call_.AdmitAgain());
    message_.Clear();
    ASSIGN_OR_RETURN(const Next next, source_->Produce(call_, &message_));
    // Until it is read, there are it, its bytes in gRPC, and what the source makes next.
    if (next == Next::kMessage) RETURN_IF_ERROR(call_.Hold(3 * message_.ByteSizeLong()));
    return next;
  }

  // Constant after construction.
  serving::Executor* const executor_;
  const Open open_;
  // Of the thread that makes a message; of gRPC while it is written.
  Reply message_;
  Call call_;
  // Guarded.
  std::mutex mu_;
  bool busy_ ABSL_GUARDED_BY(mu_) = false;  // Making or writing.
  bool woken_ ABSL_GUARDED_BY(mu_) = false;
  bool message_ready_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mu_);
  // Destroyed first: it may wait for a call of Wake that is under way.
  std::unique_ptr<Source<Reply>> source_;
};

}  // namespace sluiced::rpc
