// What a call carries of itself: request ids and traces; and the server's statistics.
#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/observe/request_id.h"
#include "sluice/v1/server.grpc.pb.h"
#include "sluice/v1/status.pb.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {
namespace {

using grpc::StatusCode;
using ::testing::AnyOf;
using ::testing::Not;

struct Called {
  grpc::Status status;
  std::string header;  // x-request-id of the reply.
  std::string detail;  // RequestInfo of the error.
};

Called GetModel(TestServer& server, const std::string& name,
                const std::vector<std::string>& request_ids = {}) {
  grpc::ClientContext context;
  for (const std::string& id : request_ids) context.AddMetadata("x-request-id", id);
  v1::GetModelRequest request;
  request.set_name(name);
  v1::Model model;
  Called called;
  called.status = server.models->GetModel(&context, request, &model);
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find("x-request-id");
  if (found != trailers.end()) called.header.assign(found->second.data(), found->second.size());
  google::rpc::Status details;
  details.ParseFromString(called.status.error_details());
  for (const auto& detail : details.details()) {
    google::rpc::RequestInfo info;
    if (detail.UnpackTo(&info)) called.detail = info.request_id();
  }
  return called;
}

TEST(RequestIds, EveryReplyHasOneAndErrorsNameIt) {
  TestServer server;
  MakeModel(server, "wow", 2);
  const Called good = GetModel(server, "models/wow");
  EXPECT_TRUE(good.status.ok());
  EXPECT_TRUE(observe::IsRequestId(good.header)) << good.header;
  const Called bad = GetModel(server, "models/none");
  EXPECT_EQ(bad.status.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(bad.header, bad.detail);
  EXPECT_TRUE(observe::IsRequestId(bad.header)) << bad.header;
  EXPECT_NE(good.header, bad.header);
}

TEST(RequestIds, OfTheCallerAreKeptWhereTheyMayBeShown) {
  TestServer server;
  const Called kept = GetModel(server, "models/none", {"my-own.id_7"});
  EXPECT_EQ(kept.header, "my-own.id_7");
  EXPECT_EQ(kept.detail, "my-own.id_7");
  EXPECT_NE(GetModel(server, "models/none", {"a b"}).header, "a b");
  EXPECT_EQ(GetModel(server, "models/none", {std::string(65, 'x')}).header.size(), 13u);
  const Called two = GetModel(server, "models/none", {"one", "two"});
  EXPECT_THAT(two.header, Not(AnyOf("one", "two")));
}

TEST(RequestIds, StreamsHaveThemToo) {
  TestServer server;
  grpc::ClientContext context;
  context.AddMetadata("x-request-id", "stream-1");
  v1::WatchTrainJobRequest watch;
  watch.set_name("trainJobs/none");
  EXPECT_EQ(server.training->WatchTrainJob(&context, watch)->Finish().error_code(),
            StatusCode::NOT_FOUND);
  EXPECT_EQ(context.GetServerTrailingMetadata().count("x-request-id"), 1u);
}

TEST(Traces, BrokenOnesBreakNothing) {
  TestServer server;
  MakeModel(server, "wow", 2);
  for (const char* traceparent : {"", "00-x", "00-4bf92f3577b34da6a3ce929d0e0e4736-0-01"}) {
    grpc::ClientContext context;
    context.AddMetadata("traceparent", traceparent);
    v1::GetModelRequest request;
    request.set_name("models/wow");
    v1::Model model;
    EXPECT_TRUE(server.models->GetModel(&context, request, &model).ok()) << traceparent;
  }
}

v1::Statistics GetStatistics(TestServer& server) {
  grpc::ClientContext context;
  v1::Statistics statistics;
  const auto stub = v1::ServerService::NewStub(server.Connect());
  const grpc::Status status =
      stub->GetStatistics(&context, v1::GetStatisticsRequest(), &statistics);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return statistics;
}

std::map<std::string, v1::MethodStatistics> ByMethod(const v1::Statistics& statistics) {
  std::map<std::string, v1::MethodStatistics> methods;
  for (const auto& method : statistics.methods()) methods[method.method()] = method;
  return methods;
}

TEST(Statistics, TellCallsModelsAndQueues) {
  TestServer server;
  MakeModel(server, "wow", 2);
  for (int i = 0; i < 3; ++i) {
    grpc::ClientContext context;
    v1::SampleRequest sample;
    sample.set_model(i == 2 ? "models/none" : "models/wow");
    sample.set_rows(10);
    v1::SampleResponse reply;
    server.inference->Sample(&context, sample, &reply);
  }
  const v1::Statistics statistics = GetStatistics(server);
  EXPECT_FALSE(statistics.version().empty());
  EXPECT_GT(statistics.window_seconds(), 0);
  const auto methods = ByMethod(statistics);
  ASSERT_TRUE(methods.contains("Sample"));
  const v1::MethodStatistics& sample = methods.at("Sample");
  EXPECT_EQ(sample.service(), "sluice.v1.InferenceService");
  EXPECT_EQ(sample.calls(), 3);
  EXPECT_EQ(sample.errors(), 1);
  EXPECT_EQ(sample.rows(), 20);
  EXPECT_EQ(sample.recent_calls(), 3);
  EXPECT_GT(sample.p50_seconds(), 0);
  EXPECT_LE(sample.p50_seconds(), sample.p99_seconds());
  EXPECT_EQ(methods.at("GetStatistics").in_flight(), 1);
  EXPECT_FALSE(methods.contains("Transform"));
  ASSERT_EQ(statistics.models_size(), 1);
  EXPECT_EQ(statistics.models(0).version(), "models/wow/versions/0");
  EXPECT_EQ(statistics.loaded_model_bytes(), statistics.models(0).bytes());
  EXPECT_EQ(statistics.job_bytes(), 0);
  EXPECT_GT(statistics.max_job_bytes(), 1'000'000);
  EXPECT_EQ(statistics.queues_size(), 7);
  EXPECT_EQ(statistics.jobs_size(), 4);
  EXPECT_EQ(statistics.ended_jobs_size(), 3);
  EXPECT_GT(statistics.resident_bytes(), 1'000'000);
}

TEST(Statistics, TellHowRunningJobsGo) {
  TestServer server;
  MakeModel(server, "wow", 3);
  MakeDataset(server, "roll", 1000);
  v1::CreateTrainJobRequest request;
  request.set_train_job_id("long");
  request.mutable_train_job()->set_model("models/wow");
  request.mutable_train_job()->set_dataset("datasets/roll");
  request.mutable_train_job()->mutable_config()->set_epochs(10'000'000);
  grpc::ClientContext create_context, watch_context;
  v1::TrainJob job;
  ASSERT_TRUE(server.training->CreateTrainJob(&create_context, request, &job).ok());
  v1::WatchTrainJobRequest watch;
  watch.set_name("trainJobs/long");
  const auto stream = server.training->WatchTrainJob(&watch_context, watch);
  v1::TrainUpdate update;
  while (stream->Read(&update) && update.epoch() < 2) {
  }
  const v1::Statistics statistics = GetStatistics(server);
  ASSERT_EQ(statistics.running_jobs_size(), 1);
  const v1::RunningJob& running = statistics.running_jobs(0);
  EXPECT_EQ(running.name(), "trainJobs/long");
  EXPECT_EQ(running.model(), "models/wow");
  EXPECT_GE(running.epoch(), 1);
  EXPECT_EQ(running.epochs(), 10'000'000);
  EXPECT_TRUE(running.has_train_loss());
  EXPECT_TRUE(running.has_validation_loss());
  EXPECT_GT(running.rows_per_second(), 0);
  EXPECT_EQ(ByMethod(statistics).at("WatchTrainJob").in_flight(), 1);
  watch_context.TryCancel();
}

}  // namespace
}  // namespace sluiced::testing
