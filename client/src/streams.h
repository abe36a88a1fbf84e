// The three shapes of streamed calls: read all, upload, exchange.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "client/src/stall_guard.h"
#include "sluice/result.h"

namespace sluice {

inline constexpr int64_t kChunkBytes = 1 << 20;

// Hands each message to `take` until the stream ends or `take` fails, which cancels
// the call and is the result. Time that `take` spends does not count against the
// timeout: a full pipe is no stalled server.
template <typename Reply, typename Take>
Status TakeAll(grpc::ClientContext* context, StallGuard* guard,
               grpc::internal::ReaderInterface<Reply>* stream, Take& take) {
  Reply reply;
  Status taken;
  while (taken.ok() && stream->Read(&reply)) {
    guard->Disarm();
    taken = take(reply);
    guard->Progress();
  }
  if (!taken.ok()) context->TryCancel();
  return taken;
}

// Hands each message of the stream that `open` starts to `take`. A failed Status
// of `take` cancels the call and is the result.
template <typename Reply, typename Open, typename Take>
Status ReadAll(grpc::ClientContext* context, std::chrono::milliseconds timeout, Open open,
               Take take) {
  StallGuard guard(context, timeout);
  const std::unique_ptr<grpc::ClientReaderInterface<Reply>> stream = open();
  const Status taken = TakeAll<Reply>(context, &guard, stream.get(), take);
  const grpc::Status end = stream->Finish();
  return taken.ok() ? guard.Judge(end) : taken;
}

// A stream of requests with one reply. Time that the caller spends between two
// messages does not count against the timeout.
template <typename Request>
class Upload {
 public:
  Upload(grpc::ClientContext* context, std::chrono::milliseconds timeout,
         std::unique_ptr<grpc::ClientWriterInterface<Request>> stream)
      : context_(context), guard_(context, timeout), stream_(std::move(stream)) {
    guard_.Disarm();
  }

  // False when the call has ended early: Finish says why.
  bool Send(const Request& request) {
    guard_.Progress();
    const bool sent = stream_->Write(request);
    guard_.Disarm();
    return sent;
  }

  // The reply is there when this is OK.
  Status Finish() {
    guard_.Progress();
    stream_->WritesDone();
    return guard_.Judge(stream_->Finish());
  }

  // Ends the call so that the server keeps nothing of it.
  void Abandon() {
    context_->TryCancel();
    stream_->Finish();
  }

 private:
  grpc::ClientContext* const context_;
  StallGuard guard_;
  const std::unique_ptr<grpc::ClientWriterInterface<Request>> stream_;
};

// Writes the requests that `next` makes, until it returns false, while it hands
// the replies to `take`: on two threads, for a server that cannot get rid of its
// replies stops reading. A failed Status of `take` cancels the call.
template <typename Request, typename Reply, typename Open, typename Next, typename Take>
Status Exchange(grpc::ClientContext* context, std::chrono::milliseconds timeout, Open open,
                Next next, Take take) {
  StallGuard guard(context, timeout);
  const std::unique_ptr<grpc::ClientReaderWriterInterface<Request, Reply>> stream = open();
  std::thread writer([&] {
    Request request;
    while (next(&request) && stream->Write(request)) guard.Progress();
    stream->WritesDone();
  });
  const Status taken = TakeAll<Reply>(context, &guard, stream.get(), take);
  writer.join();
  const grpc::Status end = stream->Finish();
  return taken.ok() ? guard.Judge(end) : taken;
}

}  // namespace sluice
