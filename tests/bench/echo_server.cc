#include "tests/bench/echo_server.h"

#include <fcntl.h>
#include <grpcpp/server_builder.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "echo.grpc.pb.h"
#include "server/common/check.h"

namespace sluiced::bench {
namespace {

namespace pb = ::sluice::bench;

class StreamReactor final : public grpc::ServerWriteReactor<pb::Payload> {
 public:
  explicit StreamReactor(const pb::StreamRequest& request) : left_(request.messages()) {
    payload_.mutable_data()->resize(static_cast<size_t>(request.message_bytes()), 'x');
    Next(true);
  }

  void OnWriteDone(bool ok) override { Next(ok); }
  void OnDone() override { delete this; }

 private:
  void Next(bool ok) {
    if (!ok || left_ == 0) return Finish(grpc::Status::OK);
    --left_;
    StartWrite(&payload_);
  }

  pb::Payload payload_;
  int64_t left_;
};

class EchoService final : public pb::Echo::CallbackService {
  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, const pb::Payload* in,
                                  pb::Payload* out) override {
    out->set_data(in->data());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerWriteReactor<pb::Payload>* Stream(grpc::CallbackServerContext* /*context*/,
                                                const pb::StreamRequest* in) override {
    return new StreamReactor(*in);
  }
};

// No other process that is started meanwhile holds its ends.
struct Pipe {
  Pipe() { SLUICED_CHECK(pipe2(ends, O_CLOEXEC) == 0); }
  int out() const { return ends[0]; }
  int in() const { return ends[1]; }
  int ends[2] = {-1, -1};
};

}  // namespace

int RunEchoServer() {
  EchoService service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  SLUICED_CHECK(server != nullptr && write(STDOUT_FILENO, &port, sizeof(port)) == sizeof(port));
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  server->Shutdown();
  return 0;
}

EchoProcess::EchoProcess() {
  const Pipe port, life;
  pid_ = fork();
  SLUICED_CHECK(pid_ >= 0);
  if (pid_ == 0) {
    dup2(life.out(), STDIN_FILENO);
    dup2(port.in(), STDOUT_FILENO);
    execl("/proc/self/exe", "service_bench", kEchoServer, nullptr);
    _exit(127);
  }
  close(life.out());
  close(port.in());
  stdin_ = life.in();
  int number = 0;
  SLUICED_CHECK(read(port.out(), &number, sizeof(number)) == sizeof(number));
  close(port.out());
  address_ = "127.0.0.1:" + std::to_string(number);
}

EchoProcess::~EchoProcess() {
  close(stdin_);
  waitpid(pid_, nullptr, 0);
}

}  // namespace sluiced::bench
