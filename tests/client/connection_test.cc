#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "sluice/v1/model.grpc.pb.h"
#include "sluice/v1/status.pb.h"
#include "tests/client/fake_server.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

void SpinUntilCancelled(grpc::ServerContext* context) {
  while (!context->IsCancelled()) std::this_thread::yield();
}

class FakeModels final : public v1::ModelService::Service {
 public:
  int failures = 0;  // UNAVAILABLE answers before the first good one.
  int calls = 0;
  size_t pages = 3;
  bool page_token_sticks = false;

  grpc::Status GetModel(grpc::ServerContext* context, const v1::GetModelRequest* request,
                        v1::Model* model) override {
    if (request->name() == "models/slow") SpinUntilCancelled(context);
    if (++calls <= failures) return {grpc::UNAVAILABLE, "not yet"};
    if (request->name() != "models/wow") return NotFound(request->name());
    model->set_name(request->name());
    model->mutable_spec()->set_dim(2);
    model->mutable_create_time()->set_seconds(1700000000);
    (*model->mutable_aliases())["latest"] = 4;
    return grpc::Status::OK;
  }

  grpc::Status CreateModel(grpc::ServerContext*, const v1::CreateModelRequest*,
                           v1::Model*) override {
    ++calls;
    return {grpc::UNAVAILABLE, "not yet"};
  }

  grpc::Status ListModels(grpc::ServerContext*, const v1::ListModelsRequest* request,
                          v1::ListModelsResponse* reply) override {
    const std::string& token = request->page_token();
    reply->add_models()->set_name("models/m" + std::to_string(token.size()));
    if (page_token_sticks) reply->set_next_page_token("x");
    if (token.size() + 1 < pages) reply->set_next_page_token(token + "x");
    return grpc::Status::OK;
  }

 private:
  static grpc::Status NotFound(const std::string& name) {
    google::rpc::ResourceInfo resource;
    resource.set_resource_name(name);
    google::rpc::Status details;
    details.add_details()->PackFrom(resource);
    return {grpc::NOT_FOUND, "no " + name, details.SerializeAsString()};
  }
};

struct Connection : ::testing::Test {
  FakeModels models;
  FakeServer server{{&models}};
};

TEST_F(Connection, RepliesAreDecoded) {
  const Result<Model> model = server.Connect()->GetModel("wow");
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(model->id, "wow");
  EXPECT_EQ(model->spec.dim, 2);
  EXPECT_EQ(model->aliases.at("latest"), 4);
  EXPECT_EQ(std::chrono::system_clock::to_time_t(model->create_time), 1700000000);
}

TEST_F(Connection, DetailsComeThroughTheTrailer) {
  const Status status = server.Connect()->GetModel("nothing").status();
  EXPECT_EQ(status.code, Code::kNotFound);
  EXPECT_EQ(status.resource, "models/nothing");
}

TEST_F(Connection, ReadsAreRetriedAndCreationsAreNot) {
  models.failures = 2;
  EXPECT_TRUE(server.Connect()->GetModel("wow").ok());
  EXPECT_EQ(models.calls, 3);
  models.calls = 0;
  EXPECT_EQ(server.Connect()->CreateModel("wow", FlowSpec(), {}).status().code, Code::kUnavailable);
  EXPECT_EQ(models.calls, 1);
}

TEST_F(Connection, RetriesEnd) {
  models.failures = 1000;
  EXPECT_EQ(server.Connect()->GetModel("wow").status().code, Code::kUnavailable);
  EXPECT_EQ(models.calls, 3);
}

TEST_F(Connection, DeadlinesHold) {
  ClientOptions options;
  for (const milliseconds timeout : {milliseconds(0), milliseconds(100)}) {
    options.timeout = timeout;
    EXPECT_EQ(server.Connect(options)->GetModel("slow").status().code, Code::kDeadlineExceeded);
  }
  options.timeout = milliseconds::max();
  EXPECT_TRUE(server.Connect(options)->GetModel("wow").ok());
}

TEST_F(Connection, AllPagesAreCollected) {
  const Result<std::vector<Model>> all = server.Connect()->ListModels();
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ((*all)[2].id, "m2");
}

TEST_F(Connection, AListingThatDoesNotAdvanceEnds) {
  models.page_token_sticks = true;
  models.pages = 0;
  EXPECT_EQ(server.Connect()->ListModels().status().code, Code::kInternal);
}

TEST_F(Connection, TheClientFindsAServerThatCameBack) {
  const std::unique_ptr<Client> client = server.Connect();
  EXPECT_TRUE(client->GetModel("wow").ok());
  server.Stop();
  EXPECT_EQ(client->GetModel("wow").status().code, Code::kUnavailable);
  server.Start();
  Result<Model> model = client->GetModel("wow");
  const auto give_up = std::chrono::steady_clock::now() + seconds(20);
  while (!model.ok() && std::chrono::steady_clock::now() < give_up) model = client->GetModel("wow");
  EXPECT_TRUE(model.ok()) << model.status().ToString();
}

TEST(NoServer, IsUnavailableSoon) {
  for (const char* address : {"unix:/nonexistent/socket", "nowhere.invalid:50051", "127.0.0.1:1",
                              "not an address at all"}) {
    const auto start = std::chrono::steady_clock::now();
    const Status status = Client::Connect(address)->CheckHealth().status();
    EXPECT_EQ(status.code, Code::kUnavailable) << address << ": " << status.ToString();
    EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(20)) << address;
  }
}

TEST_F(Connection, MistakesOfTheCallerStayHere) {
  const std::unique_ptr<Client> client = server.Connect();
  EXPECT_EQ(client->DeleteVersion("wow").code, Code::kInvalidArgument);
  Client::TrainRequest both;
  both.dataset = "wow";
  both.target = "ring";
  EXPECT_EQ(client->CreateTrainJob(both).status().code, Code::kInvalidArgument);
  EXPECT_EQ(client->LogProb("wow", Matrix{2, 2, {}, DType::kFloat32}).status().field, "x");
}

}  // namespace
}  // namespace sluice
