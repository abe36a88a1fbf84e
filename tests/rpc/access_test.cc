// Who may call what: tokens, scopes and rates, as clients see them.
#include <google/protobuf/descriptor.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/rpc/rpc.h"
#include "tests/rpc/access_fixture.h"

namespace sluiced::testing {
namespace {

using access::Scope;
using google::protobuf::DescriptorPool;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;
using grpc::StatusCode;
using ::testing::HasSubstr;
using ::testing::Not;

// Every method of every service that a file in proto/ declares, but for those of
// gRPC's own health service, which are the client's alone.
std::vector<const MethodDescriptor*> AllMethods() {
  namespace fs = std::filesystem;
  const fs::path root = fs::path(SLUICE_TEST_DATA) / "../../proto";
  std::vector<const MethodDescriptor*> methods;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string file = entry.path().lexically_relative(root).generic_string();
    if (entry.path().extension() != ".proto" || file.starts_with("grpc/health/")) continue;
    const auto* declared = DescriptorPool::generated_pool()->FindFileByName(file);
    EXPECT_NE(declared, nullptr) << file;
    for (int i = 0; declared != nullptr && i < declared->service_count(); ++i) {
      const ServiceDescriptor* service = declared->service(i);
      for (int j = 0; j < service->method_count(); ++j) methods.push_back(service->method(j));
    }
  }
  return methods;
}

std::string PathOf(const MethodDescriptor& method) {
  return absl::StrCat("/", method.service()->full_name(), "/", method.name());
}

std::string PathOf(const rpc::RpcInfo& rpc) {
  return absl::StrCat("/", std::string(rpc.service), "/", std::string(rpc.name));
}

TEST(RpcTable, CoversEveryMethodOfEveryService) {
  std::map<std::string, Scope> table;
  for (const rpc::RpcInfo& rpc : rpc::kRpcs) {
    const std::string path = PathOf(rpc);
    EXPECT_TRUE(table.emplace(path, rpc.scope).second) << path << " stands there twice";
  }
  std::set<std::string> declared;
  for (const MethodDescriptor* method : AllMethods()) declared.insert(PathOf(*method));
  for (const std::string& path : declared) {
    EXPECT_TRUE(table.contains(path)) << path << " has no scope";
  }
  for (const auto& [path, scope] : table) {
    EXPECT_TRUE(declared.contains(path)) << path << " is no method";
  }
}

bool IsRefusal(StatusCode code) {
  return code == StatusCode::UNAUTHENTICATED || code == StatusCode::PERMISSION_DENIED;
}

TEST_F(AccessTest, EveryMethodAsksForATokenAndForItsScope) {
  TestServer server(WithTokens());
  const auto channel = server.Connect();
  for (const rpc::RpcInfo& rpc : rpc::kRpcs) {
    const std::string path = PathOf(rpc);
    for (const char* nobody : {"", "unknown", "Infer", "infer,train"}) {
      const Seen seen = CallEmpty(channel, path, nobody);
      EXPECT_EQ(seen.code, StatusCode::UNAUTHENTICATED) << path << " '" << nobody << "' " << seen;
    }
    for (const auto& [token, scope] :
         {std::pair("infer", Scope::kInfer), std::pair("train", Scope::kTrain)}) {
      const Seen seen = CallEmpty(channel, path, token);
      if (rpc.scope == scope || rpc.scope == Scope::kAny) {
        EXPECT_FALSE(IsRefusal(seen.code)) << path << " " << token << " " << seen;
      } else {
        EXPECT_EQ(seen.code, StatusCode::PERMISSION_DENIED) << path << " " << token << " " << seen;
        EXPECT_EQ(seen.scope, std::string(access::NameOf(rpc.scope))) << path;
        EXPECT_THAT(seen.message, HasSubstr(std::string(rpc.name)));
      }
    }
    for (const char* token : {"admin", "all"}) {
      const Seen seen = CallEmpty(channel, path, token);
      EXPECT_FALSE(IsRefusal(seen.code)) << path << " " << token << " " << seen;
    }
  }
}

TEST_F(AccessTest, RefusalsSayWhyAndNeverTheToken) {
  TestServer server(WithTokens());
  const std::string method = "/sluice.v1.ModelService/GetModel";
  const Seen missing = CallEmpty(server.Connect(), method, "");
  EXPECT_EQ(missing.reason, "TOKEN_MISSING") << missing;
  const Seen unknown = CallEmpty(server.Connect(), method, "5ec2e7");
  EXPECT_EQ(unknown.reason, "TOKEN_UNKNOWN") << unknown;
  EXPECT_THAT(unknown.message, Not(HasSubstr("5ec2e7")));
  const Seen denied = CallEmpty(server.Connect(), "/sluice.v1.ModelService/DeleteModel", "infer");
  EXPECT_EQ(denied.reason, "SCOPE_MISSING") << denied;
  EXPECT_EQ(denied.scope, "admin") << denied;
}

TEST_F(AccessTest, OnlyOneBearerTokenIsTaken) {
  TestServer server(WithTokens());
  const auto stub = v1::ModelService::NewStub(server.Connect());
  const auto code = [&stub](const std::vector<std::string>& headers) {
    grpc::ClientContext context;
    for (const std::string& header : headers) context.AddMetadata("authorization", header);
    v1::ListModelsResponse reply;
    return stub->ListModels(&context, v1::ListModelsRequest(), &reply).error_code();
  };
  for (const char* good : {"Bearer infer", "bearer infer", "BEARER   infer "}) {
    EXPECT_EQ(code({good}), StatusCode::OK) << good;
  }
  for (const char* bad : {"infer", "Bearer", "Bearer ", "Basic infer", "Bearer infer infer", ""}) {
    EXPECT_EQ(code({bad}), StatusCode::UNAUTHENTICATED) << bad;
  }
  EXPECT_EQ(code({"Bearer infer", "Bearer infer"}), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(code({"Bearer " + std::string(7000, 'x')}), StatusCode::UNAUTHENTICATED);
}

TEST_F(AccessTest, HealthIsToldToAnybody) {
  TestServer server(WithTokens());
  EXPECT_EQ(CallEmpty(server.Connect(), "/grpc.health.v1.Health/Check", "").code, StatusCode::OK);
}

TEST_F(AccessTest, StrangersLearnNothingOfAServerThatStops) {
  TestServer server(WithTokens());
  server.server().RefuseNewCalls();
  const std::string method = "/sluice.v1.ModelService/GetModel";
  EXPECT_EQ(CallEmpty(server.Connect(), method, "").code, StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(CallEmpty(server.Connect(), method, "infer").code, StatusCode::UNAVAILABLE);
}

TEST_F(AccessTest, TokensComeAndGoWithTheFile) {
  TestServer server(WithTokens());
  const auto channel = server.Connect();
  const auto call = [&channel](const std::string& token) {
    return [&channel, token] {
      return CallEmpty(channel, "/sluice.v1.ModelService/ListModels", token).code;
    };
  };
  EXPECT_EQ(call("new")(), StatusCode::UNAUTHENTICATED);
  sluice::testing::WriteText(File("tokens"), TokenLine("n", "infer", "new"));
  EXPECT_TRUE(Await(call("new"), StatusCode::OK));
  EXPECT_EQ(call("infer")(), StatusCode::UNAUTHENTICATED);
}

// Streams under way when their token, "all", is taken back.
class StreamAccessTest : public AccessTest {
 protected:
  StreamAccessTest() {
    v1::CreateModelRequest model;
    model.set_model_id("wow");
    model.mutable_spec()->set_dim(2);
    model.mutable_spec()->set_layers(2);
    model.mutable_spec()->set_hidden(4);
    grpc::ClientContext context;
    AddToken(&context, "admin");
    v1::Model made;
    const grpc::Status status = server_.models->CreateModel(&context, model, &made);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }

  // Returns once the server has taken up the file.
  void TakeBackAll() {
    sluice::testing::WriteText(File("tokens"), TokenLine("a", "admin", "admin"));
    EXPECT_TRUE(Await(
        [this] {
          return CallEmpty(server_.Connect(), "/sluice.v1.ModelService/ListModels", "all").code;
        },
        StatusCode::UNAUTHENTICATED));
  }

  TestServer server_{WithTokens()};
};

TEST_F(StreamAccessTest, ATokenTakenBackEndsAnExchange) {
  grpc::ClientContext context;
  AddToken(&context, "all");
  const auto stream = server_.inference->StreamLogProb(&context);
  v1::LogProbRequest request;
  request.set_model("models/wow");
  *request.mutable_x() = SmallNumbers(2, 2);
  v1::LogProbResponse reply;
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&reply));
  TakeBackAll();
  stream->Write(request);
  EXPECT_FALSE(stream->Read(&reply));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAUTHENTICATED);
}

TEST_F(StreamAccessTest, ATokenTakenBackEndsAnUploadAndNothingIsStored) {
  grpc::ClientContext context;
  AddToken(&context, "all");
  v1::Dataset dataset;
  const auto stream = server_.datasets->UploadDataset(&context, &dataset);
  v1::UploadDatasetRequest part;
  part.mutable_header()->set_dataset_id("rows");
  part.mutable_header()->set_format(v1::FILE_FORMAT_ROWS);
  ASSERT_TRUE(stream->Write(part));
  TakeBackAll();
  v1::UploadDatasetRequest rows;
  *rows.mutable_rows() = SmallNumbers(10, 3);
  stream->Write(rows);
  stream->WritesDone();
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAUTHENTICATED);
  grpc::ClientContext get_context;
  AddToken(&get_context, "admin");
  v1::GetDatasetRequest get;
  get.set_name("datasets/rows");
  EXPECT_EQ(server_.datasets->GetDataset(&get_context, get, &dataset).error_code(),
            StatusCode::NOT_FOUND);
}

TEST_F(StreamAccessTest, ATokenTakenBackEndsAWatchAtItsNextUpdate) {
  const v1::CreateTrainJobRequest job = EndlessJob("long");
  grpc::ClientContext create_context;
  AddToken(&create_context, "admin");
  v1::TrainJob made;
  const grpc::Status created = server_.training->CreateTrainJob(&create_context, job, &made);
  ASSERT_TRUE(created.ok()) << created.error_message();

  grpc::ClientContext context;
  AddToken(&context, "all");
  v1::WatchTrainJobRequest watch;
  watch.set_name("trainJobs/long");
  const auto stream = server_.training->WatchTrainJob(&context, watch);
  v1::TrainUpdate update;
  ASSERT_TRUE(stream->Read(&update));
  TakeBackAll();
  while (stream->Read(&update)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAUTHENTICATED);
}

TEST_F(AccessTest, ACallerWhoComesTooOftenIsToldWhenToComeAgain) {
  Config config = WithTokens();
  config.access.rate_limit = "0.01:2";
  TestServer server(config);
  const auto channel = server.Connect();
  const std::string method = "/sluice.v1.ModelService/ListModels";
  EXPECT_EQ(CallEmpty(channel, method, "infer").code, StatusCode::OK);
  EXPECT_EQ(CallEmpty(channel, "/sluice.v1.InferenceService/StreamSample", "infer").code,
            StatusCode::INVALID_ARGUMENT);
  for (const auto& other : {channel, server.Connect()}) {
    const Seen refused = CallEmpty(other, method, "infer");
    EXPECT_EQ(refused.code, StatusCode::RESOURCE_EXHAUSTED) << refused;
    EXPECT_GT(refused.retry_seconds.value_or(0), 90) << refused;
  }
  // Others are not concerned, and strangers not counted.
  EXPECT_EQ(CallEmpty(channel, method, "").code, StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(CallEmpty(channel, method, "train").code, StatusCode::OK);
}

TEST_F(AccessTest, WithoutTokensTheAddressCounts) {
  Config config;
  config.access.rate_limit = "0.01:1";
  TestServer server(config);
  const std::string method = "/sluice.v1.ModelService/ListModels";
  EXPECT_EQ(CallEmpty(server.Connect(), method, "").code, StatusCode::OK);
  const Seen refused = CallEmpty(server.Connect(), method, "");
  EXPECT_EQ(refused.code, StatusCode::RESOURCE_EXHAUSTED) << refused;
  EXPECT_THAT(refused.message, HasSubstr("127.0.0.1"));
}

}  // namespace
}  // namespace sluiced::testing
