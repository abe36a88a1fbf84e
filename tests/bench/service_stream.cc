// A sample that streams, beside a stream of as many bytes that compute nothing.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "echo.grpc.pb.h"
#include "sluice/v1/inference.grpc.pb.h"
#include "tests/bench/engine_work.h"
#include "tests/bench/service_bench.h"

namespace sluiced::bench {
namespace {

constexpr double kMebibyte = 1 << 20;

struct Streamed {
  int64_t messages = 0;
  int64_t bytes = 0;  // Of the numbers.
  double seconds = 0;
};

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

template <typename Reply, typename Open, typename Bytes>
Streamed ReadAll(Open open, Bytes bytes) {
  grpc::ClientContext context;
  Streamed streamed;
  Reply reply;
  const auto start = std::chrono::steady_clock::now();
  const std::unique_ptr<grpc::ClientReader<Reply>> stream = open(&context);
  for (; stream->Read(&reply); ++streamed.messages) {
    streamed.bytes += static_cast<int64_t>(bytes(reply));
  }
  const grpc::Status end_status = stream->Finish();
  OrDie(sluice::Failure(static_cast<sluice::Code>(end_status.error_code()),
                        end_status.error_message()));
  const auto end = std::chrono::steady_clock::now();
  streamed.seconds = std::chrono::duration<double>(end - start).count();
  return streamed;
}

Streamed ReadSample(const std::string& address, int64_t rows) {
  const auto stub = sluice::v1::InferenceService::NewStub(Connect(address));
  sluice::v1::SampleRequest request;
  request.set_model("models/wow");
  request.set_rows(rows);
  request.set_seed(kSeed);
  return ReadAll<sluice::v1::SampleResponse>(
      [&](grpc::ClientContext* context) { return stub->StreamSample(context, request); },
      [](const sluice::v1::SampleResponse& reply) { return reply.x().data().size(); });
}

Streamed ReadEcho(const std::string& address, const Streamed& like) {
  const auto stub = sluice::bench::Echo::NewStub(Connect(address));
  sluice::bench::StreamRequest request;
  request.set_messages(like.messages);
  request.set_message_bytes(like.bytes / like.messages);
  return ReadAll<sluice::bench::Payload>(
      [&](grpc::ClientContext* context) { return stub->Stream(context, request); },
      [](const sluice::bench::Payload& reply) { return reply.data().size(); });
}

// The most memory that the server held, looked at every few milliseconds.
class MemoryWatch {
 public:
  explicit MemoryWatch(const sluice::testing::ServerProcess& server)
      : thread_([this, &server] {
          while (!done_) {
            most_ = std::max(most_, server.ResidentBytes());
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
          }
        }) {}

  double EndMebibytes() {
    done_ = true;
    thread_.join();
    return static_cast<double>(most_) / kMebibyte;
  }

 private:
  std::atomic<bool> done_ = false;
  int64_t most_ = 0;  // Of the thread, until it ends.
  std::thread thread_;
};

double EngineBytesPerSecond(double seconds) {
  constexpr int64_t kRows = 4096;
  const Work work = EngineSample(kSeedsFlow, kRows);
  const auto start = std::chrono::steady_clock::now();
  int64_t rows = 0;
  double passed = 0;
  for (; passed < seconds; rows += kRows) {
    work();
    passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  const auto width = static_cast<double>(kSeedsFlow.dim) * sizeof(float);
  return static_cast<double>(rows) * width / passed;
}

Figure Memory(const std::string& when, double mebibytes) {
  return {
      .name = "stream of a sample: the server's memory " + when, .unit = "MiB", .ours = mebibytes};
}

}  // namespace

Figures MeasureStream(const ServiceOptions& options) {
  Service service(options);
  const std::string address = service.server().address();
  ReadSample(address, 100'000);
  const auto resident = [&] {
    return static_cast<double>(service.server().ResidentBytes()) / kMebibyte;
  };
  const double before = resident();
  MemoryWatch memory(service.server());
  Rounds beside_echo, beside_engine;
  for (int i = 0; i < options.rounds; ++i) {
    const double engine = EngineBytesPerSecond(options.seconds);
    const Streamed ours = ReadSample(address, options.sample_rows);
    const Streamed floor = ReadEcho(service.echo().address(), ours);
    const double rate = static_cast<double>(ours.bytes) / ours.seconds;
    beside_echo.Add(rate / kMebibyte, static_cast<double>(floor.bytes) / floor.seconds / kMebibyte);
    beside_engine.Add(rate / kMebibyte, engine / kMebibyte);
  }
  const double most = memory.EndMebibytes();
  const std::string name = "stream of a sample of " + std::to_string(options.sample_rows) + " rows";
  Figure against_engine =
      beside_engine.ToFigure(name + ": engine on a core", "MiB/s", {Target::Side::kAtLeast, 0});
  against_engine.target.reset();
  return {beside_echo.ToFigure(name + ": echo", "MiB/s", {Target::Side::kAtLeast, 0.6}),
          against_engine, Memory("before", before), Memory("at most", most),
          Memory("after", resident())};
}

}  // namespace sluiced::bench
