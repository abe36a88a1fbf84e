// The server as a whole: health, reflection, stopping, and more work than it has
// threads for.
#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/rpc/raw_call.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;

constexpr char kServing[] = "\x08\x01";  // HealthCheckResponse{status: SERVING}
constexpr char kNotServing[] = "\x08\x02";

std::string Health(TestServer& server, const std::string& service) {
  const std::string request =
      service.empty() ? "" : std::string("\x0a") + static_cast<char>(service.size()) + service;
  const RawReply reply = CallRaw(server.Connect(), "/grpc.health.v1.Health/Check", request);
  EXPECT_EQ(reply.seen.code, StatusCode::OK) << reply.seen;
  return reply.first;
}

// Of rows that a thread of gRPC's computes at once, that wait for others of their kind,
// and that wait for a thread alone.
constexpr int kFew = 1, kSome = 8000, kMany = 20000;

Seen LogProb(TestServer& server, int rows,
             std::chrono::milliseconds timeout = std::chrono::minutes(1)) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  v1::LogProbRequest request;
  request.set_model("models/wow");
  *request.mutable_x() = SmallNumbers(rows, 2);
  v1::LogProbResponse reply;
  return SeenBy(server.inference->LogProb(&context, request, &reply));
}

const char* const kServices[] = {"sluice.v1.ModelService",     "sluice.v1.DatasetService",
                                 "sluice.v1.TrainingService",  "sluice.v1.InferenceService",
                                 "sluice.v1.ServerService",    "sluice.v1.BackupService",
                                 "sluice.v1.EvaluationService"};

TEST(ServerState, HealthIsToldForTheServerAndEachService) {
  TestServer server;
  EXPECT_EQ(Health(server, ""), kServing);
  for (const char* service : kServices) EXPECT_EQ(Health(server, service), kServing) << service;
}

TEST(ServerState, ReflectionListsTheServices) {
  TestServer server;
  const RawReply services =
      CallRaw(server.Connect(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
              "\x3a\x01*");  // ServerReflectionRequest{list_services: "*"}
  EXPECT_EQ(services.seen.code, StatusCode::OK) << services.seen;
  for (const char* service : kServices) EXPECT_THAT(services.first, HasSubstr(service));
}

TEST(ServerState, AStoppingServerRefusesNewCallsAndFinishesTheOthers) {
  TestServer server;
  MakeModel(server, "wow", 2);
  grpc::ClientContext context;
  const auto stream = server.inference->StreamLogProb(&context);
  v1::LogProbRequest request;
  request.set_model("models/wow");
  *request.mutable_x() = SmallNumbers(2, 2);
  v1::LogProbResponse reply;
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&reply));

  server.server().RefuseNewCalls();
  EXPECT_EQ(Health(server, ""), kNotServing);
  for (const char* service : kServices) EXPECT_EQ(Health(server, service), kNotServing);
  const Seen unary = LogProb(server, kFew);
  EXPECT_EQ(unary.code, StatusCode::UNAVAILABLE) << unary;
  EXPECT_GT(unary.retry_seconds.value_or(0), 0);
  grpc::ClientContext watch_context;
  v1::WatchTrainJobRequest watch;
  watch.set_name("trainJobs/x");
  const Seen streamed = SeenBy(server.training->WatchTrainJob(&watch_context, watch)->Finish());
  EXPECT_EQ(streamed.code, StatusCode::UNAVAILABLE) << streamed;
  EXPECT_GT(streamed.retry_seconds.value_or(0), 0);

  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&reply));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  server.server().Drain();
}

// A server whose only thread of inference is busy until Release.
class BusyServer : public ::testing::Test {
 protected:
  static Config OneThread() {
    Config config;
    config.threads = 1;
    config.max_queued_calls = 1;
    return config;
  }

  BusyServer() {
    MakeModel(server_, "wow", 2);
    EXPECT_EQ(LogProb(server_, kMany).code, StatusCode::OK);
    std::promise<void> started;
    EXPECT_TRUE(server_.server()
                    .compute()
                    .Post(serving::Caller(),
                          [&started, released = release_.get_future().share()](absl::Status) {
                            started.set_value();
                            released.wait();
                          })
                    .ok());
    started.get_future().wait();
  }
  ~BusyServer() override { Release(); }
  void Release() {
    if (!std::exchange(released_, true)) release_.set_value();
  }

  TestServer server_{OneThread()};
  std::promise<void> release_;
  bool released_ = false;
};

TEST_F(BusyServer, RefusesWhatItsQueueHasNoRoomForAndServesOn) {
  ASSERT_TRUE(server_.server().compute().Post(serving::Caller(), [](absl::Status) {}).ok());
  const Seen refused = LogProb(server_, kMany);
  EXPECT_EQ(refused.code, StatusCode::RESOURCE_EXHAUSTED) << refused;
  EXPECT_GT(refused.retry_seconds.value_or(0), 0);
  grpc::ClientContext context;
  v1::SampleRequest sample;
  sample.set_model("models/wow");
  sample.set_rows(10);
  const Seen streamed = SeenBy(server_.inference->StreamSample(&context, sample)->Finish());
  EXPECT_EQ(streamed.code, StatusCode::RESOURCE_EXHAUSTED) << streamed;
  Release();
  // The queue runs empty on a thread of the server's: the next one waits for it.
  std::promise<void> empty;
  server_.server().compute().Continue(serving::Caller(), [&](absl::Status) { empty.set_value(); });
  empty.get_future().wait();
  EXPECT_EQ(LogProb(server_, kMany).code, StatusCode::OK);
}

TEST_F(BusyServer, AnswersATinyCallAllTheSame) {
  EXPECT_EQ(LogProb(server_, kFew).code, StatusCode::OK);
}

TEST_F(BusyServer, RefusesCallsThatWouldWaitForABatchWhenItIsFull) {
  std::future<Seen> waiting =
      std::async(std::launch::async, [&] { return LogProb(server_, kSome); });
  // Whichever of the two comes first waits.
  std::future<Seen> other = std::async(std::launch::async, [&] { return LogProb(server_, kSome); });
  std::future<Seen>* first = nullptr;
  while (first == nullptr) {
    for (std::future<Seen>* call : {&waiting, &other}) {
      if (call->wait_for(std::chrono::milliseconds(1)) == std::future_status::ready) first = call;
    }
  }
  const Seen refused = first->get();
  EXPECT_EQ(refused.code, StatusCode::RESOURCE_EXHAUSTED) << refused;
  EXPECT_GT(refused.retry_seconds.value_or(0), 0);
  Release();
  EXPECT_EQ((first == &waiting ? other : waiting).get().code, StatusCode::OK);
}

TEST_F(BusyServer, ADeadlineThatPassesInTheQueueIsExceeded) {
  const Seen late = LogProb(server_, kMany, std::chrono::milliseconds(50));
  EXPECT_EQ(late.code, StatusCode::DEADLINE_EXCEEDED) << late;
  Release();
}

TEST_F(BusyServer, StillAnswersWhatNeedsNoInference) {
  v1::GetModelRequest request;
  request.set_name("models/wow");
  grpc::ClientContext context;
  v1::Model model;
  EXPECT_TRUE(server_.models->GetModel(&context, request, &model).ok());
}

TEST(ServerState, AnAddressThatCannotBeHadIsSaidClearly) {
  TestServer first;
  for (const std::string& listen :
       {first.address(), std::string("127.0.0.1"), std::string("127.0.0.1:99999"),
        std::string("127.0.0.1:-1"), std::string("no.such.host.invalid:1"), std::string("unix:"),
        std::string(":x"), std::string("")}) {
    Config config;
    config.data_dir = first.data_dir() + "/other";
    config.threads = 1;
    config.listen = listen;
    config.access.insecure = true;
    const auto second = Server::Start(config);
    ASSERT_FALSE(second.ok()) << listen;
    EXPECT_THAT(std::string(second.status().message()), HasSubstr("cannot listen on")) << listen;
  }
}

TEST(ServerState, ADataDirectoryHasOneOwner) {
  TestServer first;
  Config config;
  config.data_dir = first.data_dir();
  config.listen = "127.0.0.1:0";
  config.threads = 1;
  const auto second = Server::Start(config);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(first.data_dir()));
}

}  // namespace
}  // namespace sluiced::testing
