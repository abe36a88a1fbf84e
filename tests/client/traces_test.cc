// What goes along with calls, and what comes back with them, for people who look.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sluice/v1/model.grpc.pb.h"
#include "sluice/v1/server.grpc.pb.h"
#include "tests/client/fake_server.h"

namespace sluice {
namespace {

constexpr char kTraceparent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

// Answers every call with the traceparents it came with.
class Echo final : public v1::ModelService::Service {
 public:
  grpc::Status GetModel(grpc::ServerContext* context, const v1::GetModelRequest*,
                        v1::Model* model) override {
    const auto [begin, end] = context->client_metadata().equal_range("traceparent");
    std::string all;
    for (auto it = begin; it != end; ++it) all.append(it->second.data(), it->second.size());
    model->set_description(all);
    return grpc::Status::OK;
  }
};

TEST(Traces, ATraceparentGoesAlongWithEveryCallAndBesideTheToken) {
  Echo echo;
  FakeServer server{{&echo}};
  ClientOptions options;
  options.traceparent = kTraceparent;
  options.token = "abc";
  const auto client = server.Connect(options);
  for (int i = 0; i < 2; ++i) {
    const Result<Model> model = client->GetModel("wow");
    ASSERT_TRUE(model.ok()) << model.status().ToString();
    EXPECT_EQ(model->description, kTraceparent);
  }
  EXPECT_EQ(server.Connect()->GetModel("wow")->description, "");
}

TEST(Traces, OneThatIsNoneFailsEveryCallByName) {
  Echo echo;
  FakeServer server{{&echo}};
  ClientOptions options;
  options.traceparent = "00-x";
  const Result<Model> model = server.Connect(options)->GetModel("wow");
  EXPECT_EQ(model.status().code, Code::kInvalidArgument);
  EXPECT_THAT(model.status().message, ::testing::HasSubstr("traceparent"));
}

TEST(Traces, TraceparentsAreTakenStrictly) {
  EXPECT_TRUE(IsTraceparent(kTraceparent));
  for (const std::string& bad :
       {std::string(), std::string("00-x"), std::string(kTraceparent) + "-more",
        "01" + std::string(kTraceparent).substr(2), std::string(kTraceparent) + "\n",
        std::string("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"),
        std::string("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
        std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01")}) {
    EXPECT_FALSE(IsTraceparent(bad)) << bad;
  }
}

class Server final : public v1::ServerService::Service {
 public:
  grpc::Status GetStatistics(grpc::ServerContext*, const v1::GetStatisticsRequest*,
                             v1::Statistics* out) override {
    out->set_version("1.2.3");
    out->mutable_start_time()->set_seconds(100);
    out->mutable_time()->set_seconds(160);
    out->set_window_seconds(57.5);
    v1::MethodStatistics* method = out->add_methods();
    method->set_method("LogProb");
    method->set_calls(5);
    method->set_recent_rows(50);
    method->set_p99_seconds(0.25);
    v1::QueueStatistics* queue = out->add_queues();
    queue->set_queue("compute");
    queue->set_waiting(3);
    v1::JobCount* count = out->add_jobs();
    count->set_state(v1::JOB_STATE_PAUSED);
    count->set_count(2);
    v1::RunningJob* job = out->add_running_jobs();
    job->set_name("trainJobs/job-1");
    job->set_model("models/wow");
    job->set_train_loss(3.5);
    out->add_models()->set_version("models/wow/versions/1");
    return grpc::Status::OK;
  }
};

TEST(Statistics, AreReadWhole) {
  Server service;
  FakeServer server{{&service}};
  const Result<Statistics> statistics = server.Connect()->GetStatistics();
  ASSERT_TRUE(statistics.ok()) << statistics.status().ToString();
  EXPECT_EQ(statistics->server_version, "1.2.3");
  EXPECT_EQ(statistics->time - statistics->start_time, std::chrono::seconds(60));
  EXPECT_EQ(statistics->window_seconds, 57.5);
  ASSERT_EQ(statistics->methods.size(), 1u);
  EXPECT_EQ(statistics->methods[0].calls, 5);
  EXPECT_EQ(statistics->methods[0].recent_rows, 50);
  EXPECT_EQ(statistics->methods[0].p99_seconds, 0.25);
  EXPECT_EQ(statistics->queues.at(0).waiting, 3);
  EXPECT_EQ(statistics->jobs.at(JobState::kPaused), 2);
  ASSERT_EQ(statistics->running_jobs.size(), 1u);
  EXPECT_EQ(statistics->running_jobs[0].id, "job-1");
  EXPECT_EQ(statistics->running_jobs[0].model, "wow");
  EXPECT_EQ(statistics->running_jobs[0].train_loss, 3.5);
  EXPECT_EQ(statistics->running_jobs[0].validation_loss, std::nullopt);
  EXPECT_EQ(statistics->models.at(0).version, "models/wow/versions/1");
}

}  // namespace
}  // namespace sluice
