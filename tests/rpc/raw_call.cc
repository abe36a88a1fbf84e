#include "tests/rpc/raw_call.h"

#include <grpcpp/generic/generic_stub.h>

#include "absl/strings/str_cat.h"

namespace sluiced::testing {
namespace {

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  grpc::Slice all;
  return buffer.DumpToSingleSlice(&all).ok() ? std::string(all.begin(), all.end()) : "";
}

}  // namespace

void AddToken(grpc::ClientContext* context, const std::string& token) {
  context->AddMetadata("authorization", absl::StrCat("Bearer ", token));
}

RawReply CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                 const std::string& request, const std::string& token) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  if (!token.empty()) AddToken(&context, token);
  grpc::CompletionQueue queue;
  const auto done = [&queue] {
    void* tag;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  done();
  const grpc::Slice slice(request);
  call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
  done();
  RawReply reply;
  for (bool first = true;; first = false) {
    grpc::ByteBuffer message;
    call->Read(&message, nullptr);
    if (!done()) break;
    if (first) reply.first = BytesOf(message);
  }
  grpc::Status status;
  call->Finish(&status, nullptr);
  done();
  reply.seen = SeenBy(status);
  return reply;
}

}  // namespace sluiced::testing
