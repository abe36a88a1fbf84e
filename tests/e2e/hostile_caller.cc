#include "tests/e2e/hostile_caller.h"

#include <arpa/inet.h>
#include <grpcpp/generic/generic_stub.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

namespace sluice::testing {
namespace {

using std::chrono::milliseconds;

constexpr int kRepliesRead = 3;

milliseconds DeadlineFor(Dice* dice) {
  if (dice->OneIn(40)) return milliseconds(-1);
  if (dice->OneIn(15)) return milliseconds(dice->Below(20));
  return milliseconds(500);
}

// A call whose steps are made one by one.
class SteppedCall {
 public:
  SteppedCall(grpc::GenericStub* stub, const std::string& method, milliseconds deadline) {
    context_.set_deadline(std::chrono::system_clock::now() + deadline);
    call_ = stub->PrepareCall(&context_, method, &queue_);
    call_->StartCall(nullptr);
    alive_ = Done();
  }

  void Write(const std::string& message) {
    if (!alive_) return;
    const grpc::Slice slice(message);
    call_->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    alive_ = Done();
  }
  void WritesDone() {
    if (!alive_) return;
    call_->WritesDone(nullptr);
    alive_ = Done();
  }
  bool Read() {
    if (!alive_) return false;
    grpc::ByteBuffer message;
    call_->Read(&message, nullptr);
    return alive_ = Done();
  }
  void Leave() { context_.TryCancel(); }

  grpc::Status Finish() {
    grpc::Status status;
    call_->Finish(&status, nullptr);
    Done();
    return status;
  }

 private:
  bool Done() {
    void* tag;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  bool alive_ = false;
};

}  // namespace

HostileCaller::HostileCaller(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  channel_ = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

grpc::Status HostileCaller::Send(const HostileCall& call, Dice* dice) {
  grpc::GenericStub stub(channel_);
  SteppedCall steps(&stub, call.method, DeadlineFor(dice));
  const bool leaves = dice->OneIn(12);
  const size_t sent = leaves ? dice->Below(call.messages.size() + 1) : call.messages.size();
  for (size_t i = 0; i < sent; ++i) steps.Write(call.messages[i]);
  if (leaves) {
    steps.Leave();
    return steps.Finish();
  }
  steps.WritesDone();
  int read = 0;
  while (read < kRepliesRead && steps.Read()) ++read;
  if (read == kRepliesRead) steps.Leave();
  return steps.Finish();
}

grpc::Status HostileCaller::SendWhole(const HostileCall& call) {
  grpc::GenericStub stub(channel_);
  SteppedCall steps(&stub, call.method, std::chrono::seconds(30));
  for (const std::string& message : call.messages) steps.Write(message);
  steps.WritesDone();
  return steps.Finish();
}

bool Intended(const HostileCall& call, grpc::StatusCode code) {
  switch (code) {
    case grpc::UNIMPLEMENTED:
      return !call.takes_stream;
    case grpc::OK:
    case grpc::CANCELLED:
    case grpc::INVALID_ARGUMENT:
    case grpc::DEADLINE_EXCEEDED:
    case grpc::NOT_FOUND:
    case grpc::ALREADY_EXISTS:
    case grpc::RESOURCE_EXHAUSTED:
    case grpc::FAILED_PRECONDITION:
    case grpc::ABORTED:  // The model was replaced while it was looked up.
      return true;
    default:
      return false;
  }
}

void SendGarbage(int port, Dice* dice) {
  const int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(handle, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    std::string bytes = dice->OneIn(3) ? "" : "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    if (dice->OneIn(2)) bytes += std::string("\0\0\0\x04\0\0\0\0\0", 9);  // Empty settings.
    bytes += dice->Bytes(400);
    if (dice->OneIn(3)) dice->Spoil(&bytes);
    (void)!send(handle, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  if (dice->OneIn(2)) {
    const linger at_once{1, 0};
    setsockopt(handle, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  }
  close(handle);
}

}  // namespace sluice::testing
