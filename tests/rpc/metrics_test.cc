// What the server shows of itself over HTTP, while clients call it.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/exposition.h"
#include "tests/support/http_get.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {
namespace {

using grpc::StatusCode;
using sluice::testing::Exposition;
using sluice::testing::HttpGet;
using sluice::testing::ReadExposition;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Config WithMetrics() {
  Config config;
  config.metrics_listen = "127.0.0.1:0";
  return config;
}

Exposition Scrape(TestServer& server) {
  return ReadExposition(HttpGet(server.server().metrics_port(), "/metrics").body);
}

StatusCode LogProb(TestServer& server, const std::string& model, int64_t rows) {
  grpc::ClientContext context;
  v1::LogProbRequest request;
  request.set_model(model);
  *request.mutable_x() = SmallNumbers(rows, 2);
  v1::LogProbResponse reply;
  return server.inference->LogProb(&context, request, &reply).error_code();
}

void StartJob(TestServer& server, const std::string& id) {
  const v1::CreateTrainJobRequest request = EndlessJob(id);
  grpc::ClientContext context;
  v1::TrainJob job;
  const grpc::Status status = server.training->CreateTrainJob(&context, request, &job);
  ASSERT_TRUE(status.ok()) << status.error_message();
}

// Until the job has trained an epoch.
void AwaitEpoch(TestServer& server, const std::string& id) {
  grpc::ClientContext context;
  v1::WatchTrainJobRequest watch;
  watch.set_name("trainJobs/" + id);
  const auto stream = server.training->WatchTrainJob(&context, watch);
  v1::TrainUpdate update;
  while (stream->Read(&update) && update.epoch() < 2) {
  }
  context.TryCancel();
}

TEST(ServerMetrics, CallsModelsAndTheStoreAreCounted) {
  TestServer server(WithMetrics());
  MakeModel(server, "wow", 2);
  EXPECT_EQ(LogProb(server, "models/wow", 7), StatusCode::OK);
  EXPECT_EQ(LogProb(server, "models/wow", 3), StatusCode::OK);
  EXPECT_EQ(LogProb(server, "models/none", 1), StatusCode::NOT_FOUND);
  // Too long for the thread that it arrives on: a batch of one.
  EXPECT_EQ(LogProb(server, "models/wow", 4000), StatusCode::OK);
  const Exposition seen = Scrape(server);
  EXPECT_THAT(seen.complaints, IsEmpty());
  EXPECT_EQ(seen.Value("sluice_batch_requests_sum"), 1);
  EXPECT_EQ(seen.Value("sluice_batch_rows_sum"), 4000);
  EXPECT_EQ(seen.Value(R"(sluice_requests_total{code="OK",method="LogProb"})"), 3);
  EXPECT_EQ(seen.Value(R"(sluice_requests_total{code="NOT_FOUND",method="LogProb"})"), 1);
  EXPECT_EQ(seen.Value(R"(sluice_rows_total{method="LogProb"})"), 4010);
  EXPECT_EQ(seen.Value(R"(sluice_request_compute_seconds_count{method="LogProb"})"), 4);
  EXPECT_GT(seen.Value(R"(sluice_request_compute_seconds_sum{method="LogProb"})"), 0);
  EXPECT_EQ(seen.Value("sluice_models_loaded"), 1);
  EXPECT_GT(seen.Value("sluice_models_loaded_bytes"), 0);
  EXPECT_EQ(seen.Value(R"(sluice_queue_capacity{queue="compute"})"), 1024);
  EXPECT_EQ(seen.Value(R"(sluice_store_operation_seconds_count{operation="create_model"})"), 1);
}

// What a caller sends makes no label.
TEST(ServerMetrics, NamesOfCallersAndModelsAreNowhere) {
  TestServer server(WithMetrics());
  MakeModel(server, "wow", 2);
  EXPECT_EQ(LogProb(server, "models/wow", 1), StatusCode::OK);
  for (int i = 0; i < 20; ++i) LogProb(server, "models/stranger-" + std::to_string(i), 1);
  const std::string text = HttpGet(server.server().metrics_port(), "/metrics").body;
  EXPECT_THAT(text, Not(HasSubstr("stranger")));
  EXPECT_THAT(text, Not(HasSubstr("wow")));
}

TEST(ServerMetrics, RunningJobsAreShownUntilTheyEnd) {
  TestServer server(WithMetrics());
  MakeModel(server, "wow", 2);
  StartJob(server, "long");
  AwaitEpoch(server, "long");
  const Exposition seen = Scrape(server);
  EXPECT_THAT(seen.complaints, IsEmpty());
  EXPECT_GE(seen.Value(R"(sluice_job_epoch{job="long",model="wow"})"), 1);
  EXPECT_EQ(seen.Value(R"(sluice_job_epochs{job="long",model="wow"})"), 1e7);
  EXPECT_GT(seen.Value(R"(sluice_job_rows_per_second{job="long",model="wow"})"), 0);
  EXPECT_EQ(seen.Value(R"(sluice_jobs{state="running"})"), 1);
  grpc::ClientContext context, watch_context;
  v1::CancelTrainJobRequest cancel;
  cancel.set_name("trainJobs/long");
  v1::TrainJob job;
  EXPECT_TRUE(server.training->CancelTrainJob(&context, cancel, &job).ok());
  v1::WatchTrainJobRequest watch;
  watch.set_name("trainJobs/long");
  const auto stream = server.training->WatchTrainJob(&watch_context, watch);
  v1::TrainUpdate update;
  while (stream->Read(&update)) {
  }
  EXPECT_TRUE(stream->Finish().ok());
  const Exposition after = Scrape(server);
  EXPECT_FALSE(after.Knows("sluice_job_epoch"));
  EXPECT_EQ(after.Value(R"(sluice_jobs{state="running"})"), 0);
  EXPECT_EQ(after.Value(R"(sluice_jobs_ended_total{state="cancelled"})"), 1);
}

TEST(ServerMetrics, AStoppingServerIsAliveAndNotReady) {
  TestServer server(WithMetrics());
  MakeModel(server, "wow", 2);
  EXPECT_EQ(HttpGet(server.server().metrics_port(), "/readyz").code, 200);
  server.server().RefuseNewCalls();
  EXPECT_EQ(HttpGet(server.server().metrics_port(), "/readyz").code, 503);
  EXPECT_EQ(HttpGet(server.server().metrics_port(), "/healthz").code, 200);
  EXPECT_EQ(LogProb(server, "models/wow", 1), StatusCode::UNAVAILABLE);
  EXPECT_EQ(Scrape(server).Value(R"(sluice_requests_rejected_total{reason="draining"})"), 1);
}

TEST(ServerMetrics, WithoutAnAddressThereIsNoPort) {
  EXPECT_EQ(TestServer().server().metrics_port(), 0);
}

TEST(ServerMetrics, OtherMachinesAreLetInOnlyWithAWord) {
  Config config;
  config.metrics_listen = "0.0.0.0:0";
  config.listen = "127.0.0.1:0";
  config.threads = 1;
  const sluice::testing::TempDir directory;
  config.data_dir = directory.path();
  const auto refused = Server::Start(config);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("--metrics-listen"));
  config.access.insecure = true;
  const auto taken = Server::Start(config);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(HttpGet((*taken)->metrics_port(), "/readyz").code, 200);
}

std::string Text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Every metric that a text speaks of.
std::set<std::string> MetricsIn(const std::string& text) {
  static const std::regex name("\\b(sluice|process)_[a-z0-9_]+\\b");
  std::set<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at) {
    names.insert(at->str());
  }
  return names;
}

// Whoever renames a metric is told which panels and alerts would go blank.
TEST(ServerMetrics, AllThatTheDashboardAndTheAlertsNameIsThere) {
  TestServer server(WithMetrics());
  MakeModel(server, "wow", 2);
  MakeDataset(server, "roll", 1000);
  MakeModel(server, "roll", 3);
  EXPECT_EQ(LogProb(server, "models/wow", 7), StatusCode::OK);
  v1::CreateTrainJobRequest request;
  request.set_train_job_id("long");
  request.mutable_train_job()->set_model("models/roll");
  request.mutable_train_job()->set_dataset("datasets/roll");
  request.mutable_train_job()->mutable_config()->set_epochs(10'000'000);
  grpc::ClientContext context;
  v1::TrainJob job;
  ASSERT_TRUE(server.training->CreateTrainJob(&context, request, &job).ok());
  AwaitEpoch(server, "long");
  const Exposition seen = Scrape(server);
  const std::string docker = SLUICE_TEST_DATA "/../../docker/observability/";
  size_t found = 0;
  for (const char* file : {"dashboards/sluice.json", "alerts.yml"}) {
    const std::set<std::string> names = MetricsIn(Text(docker + file));
    found += names.size();
    for (const std::string& name : names) EXPECT_TRUE(seen.Knows(name)) << file << ": " << name;
  }
  EXPECT_GT(found, 15u);
}

}  // namespace
}  // namespace sluiced::testing
