#include "client/src/call_queue.h"

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <utility>

#include "client/src/connection.h"
#include "client/src/stall_guard.h"
#include "client/src/status.h"

namespace sluice {
namespace {

// One call in flight; its address is the tag that the completion queue hands back.
struct Flight {
  grpc::ClientContext context;
  grpc::ByteBuffer reply;
  grpc::Status status;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  int64_t note = 0;
};

// The bytes stay the caller's.
grpc::ByteBuffer Borrow(const std::string& bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size(), grpc::Slice::STATIC_SLICE);
  return grpc::ByteBuffer(&slice, 1);
}

class GrpcCallQueue final : public CallQueue {
 public:
  GrpcCallQueue(const std::string& address, const ClientOptions& options)
      : timeout_(Sane(options.timeout)), stub_(ConnectChannel(address, options, Retries::kNo)) {}

  void Start(const PreparedCall& call, int64_t note) override {
    auto flight = std::make_unique<Flight>();
    flight->note = note;
    flight->context.set_deadline(std::chrono::system_clock::now() + timeout_);
    flight->reader =
        stub_.PrepareUnaryCall(&flight->context, call.method, Borrow(call.request), &queue_);
    flight->reader->StartCall();
    Flight* tag = flight.release();  // Next takes it back.
    tag->reader->Finish(&tag->reply, &tag->status, tag);
  }

  std::optional<Ended> Next() override {
    void* tag = nullptr;
    bool ok = false;
    if (!queue_.Next(&tag, &ok)) return std::nullopt;
    const std::unique_ptr<Flight> flight(static_cast<Flight*>(tag));
    return Ended{flight->note, FromGrpc(flight->status)};
  }

  void Shutdown() override { queue_.Shutdown(); }

 private:
  const std::chrono::milliseconds timeout_;
  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
};

}  // namespace

std::unique_ptr<CallQueue> CallQueue::Connect(const std::string& address,
                                              const ClientOptions& options) {
  return std::make_unique<GrpcCallQueue>(address, options);
}

}  // namespace sluice
