// Tokens and TLS from the client's side.
#include "client/src/security.h"

#include <gmock/gmock.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <sstream>

#include "sluice/v1/inference.grpc.pb.h"
#include "sluice/v1/model.grpc.pb.h"
#include "tests/client/fake_server.h"
#include "tests/support/certificates.h"
#include "tests/support/written_file.h"

namespace sluice {
namespace {

using sluice::testing::Authority;
using sluice::testing::Pem;
using sluice::testing::WriteText;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(IsLocal, OnlyWhatCannotBeAnotherMachine) {
  for (const char* address : {"unix:/run/sluice.sock", "localhost:50051", "localhost",
                              "127.0.0.1:50051", "127.9.9.9:1", "[::1]:50051"}) {
    EXPECT_TRUE(IsLocal(address)) << address;
  }
  for (const char* address :
       {"localhost.example.org:1", "127.0.0.1.example.org:1", "127.example.org:1", "10.0.0.1:1",
        "[::2]:1", "0.0.0.0:1", "dns:///localhost:1", "", ":1"}) {
    EXPECT_FALSE(IsLocal(address)) << address;
  }
}

// Answers every call with the authorization it came with.
class Echo final : public v1::ModelService::Service {
 public:
  grpc::Status GetModel(grpc::ServerContext* context, const v1::GetModelRequest*,
                        v1::Model* model) override {
    const auto [begin, end] = context->client_metadata().equal_range("authorization");
    std::string all;
    for (auto it = begin; it != end; ++it) all.append(it->second.data(), it->second.size());
    model->set_description(all);
    return grpc::Status::OK;
  }
};

struct Security : ::testing::Test {
  Echo echo;
};

TEST_F(Security, TheTokenGoesAlongToThisMachineInPlaintext) {
  FakeServer server{{&echo}};
  ClientOptions options;
  options.token = "abc";
  const auto client = server.Connect(options);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client->GetModel("wow")->description, "Bearer abc");
  EXPECT_EQ(server.Connect()->GetModel("wow")->description, "");
}

TEST_F(Security, TheTokenDoesNotGoToAnotherMachineInPlaintext) {
  ClientOptions options;
  options.token = "5ec2e7";
  options.timeout = std::chrono::milliseconds(1);
  const auto health = Client::Connect("192.0.2.1:50051", options)->CheckHealth();
  EXPECT_EQ(health.status().code, Code::kInvalidArgument);
  EXPECT_THAT(health.status().message, HasSubstr("192.0.2.1:50051"));
  EXPECT_THAT(health.status().message, HasSubstr("--insecure"));
  EXPECT_THAT(health.status().message, Not(HasSubstr("5ec2e7")));
}

TEST(CheckToken, TlsOrTheWordLetItTravel) {
  ClientOptions options;
  options.token = "abc";
  EXPECT_FALSE(CheckToken("example.org:1", options).ok());
  EXPECT_TRUE(CheckToken("localhost:1", options).ok());
  options.insecure = true;
  EXPECT_TRUE(CheckToken("example.org:1", options).ok());
  options.insecure = false;
  options.tls = TlsOptions();
  EXPECT_TRUE(CheckToken("example.org:1", options).ok());
  EXPECT_TRUE(CheckToken("example.org:1", {}).ok());
}

TEST(CheckToken, ATokenThatNoHeaderHoldsIsRefusedAndNotQuoted) {
  for (const std::string& token :
       {std::string("5ec\n2e7"), std::string("5ec 2e7"), std::string("5ec\0", 4),
        std::string("5ec\xc3\xa9"), std::string("5ec\x7f")}) {
    ClientOptions options;
    options.token = token;
    const Status status = CheckToken("localhost:1", options);
    EXPECT_EQ(status.field, "token");
    EXPECT_THAT(status.message, Not(HasSubstr("5ec")));
  }
}

// Options that cannot be used fail every shape of call, and nothing leaves.
TEST_F(Security, OptionsThatCannotBeUsedFailEveryCall) {
  FakeServer server{{&echo}};
  ClientOptions options;
  options.tls = TlsOptions{.ca_file = "/nonexistent/ca.pem"};
  const auto client = server.Connect(options);
  const auto expect = [](const Status& status) {
    EXPECT_EQ(status.code, Code::kInvalidArgument) << status.ToString();
    EXPECT_THAT(status.message, HasSubstr("tls-ca: /nonexistent/ca.pem: No such file"));
  };
  expect(client->GetModel("wow").status());
  expect(client->CheckHealth().status());
  expect(client->ExportModel("wow@1").status());
  expect(client->WatchTrainJob("job", 0, [](const TrainUpdate&) { return true; }));
  expect(client->LogProb("wow", CountingRows(300000, 2)).status());
  expect(client->Sample("wow", 1000000, {}).status());
  expect(client->UploadRows("rows", CountingRows(10, 2), "", "").status());
  std::istringstream file("1,2\n3,4\n");
  expect(client->UploadFile("file", file, Client::FileFormat::kCsv, "", "").status());
}

TEST_F(Security, FilesThatCannotBeUsedAreNamed) {
  const sluice::testing::TempDir directory;
  const std::string rubbish = directory.path() + "/rubbish";
  WriteText(rubbish, "hello");
  const std::pair<TlsOptions, const char*> table[] = {
      {{.ca_file = rubbish}, "tls-ca: "},
      {{.ca_file = directory.path()}, "is a directory"},
      {{.cert_file = rubbish, .key_file = rubbish}, "tls-cert: "},
      {{.cert_file = rubbish}, "tls-key: a certificate and its key go together"},
      {{.key_file = rubbish}, "tls-cert: a certificate and its key go together"}};
  for (const auto& [tls, what] : table) {
    ClientOptions options;
    options.tls = tls;
    EXPECT_THAT(MakeCredentials(options).status().message, HasSubstr(what));
  }
}

// gRPC with TLS and client certificates, without Sluice's own server.
class TlsServer {
 public:
  TlsServer(grpc::Service* service, const Authority& authority, const Pem& pem) {
    grpc::SslServerCredentialsOptions options(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = authority.certificate();
    options.pem_key_cert_pairs.push_back({pem.key, pem.certificate});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port_);
    builder.RegisterService(service);
    server_ = builder.BuildAndStart();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(Security, TlsCarriesTheTokenAndShowsTheCertificate) {
  const Authority authority("an authority");
  const TlsServer server(&echo, authority, authority.Issue("server"));
  const sluice::testing::TempDir directory;
  const Pem alice = authority.Issue("alice");
  const std::string path = directory.path() + "/";
  WriteText(path + "ca", authority.certificate());
  WriteText(path + "cert", alice.certificate);
  WriteText(path + "key", alice.key);
  ClientOptions options;
  options.token = "abc";
  options.tls = {.ca_file = path + "ca", .cert_file = path + "cert", .key_file = path + "key"};
  const auto model = Client::Connect(server.address(), options)->GetModel("wow");
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(model->description, "Bearer abc");
  options.tls->server_name = "localhost";
  EXPECT_TRUE(Client::Connect(server.address(), options)->GetModel("wow").ok());
  options.tls->server_name = "example.org";
  EXPECT_EQ(Client::Connect(server.address(), options)->GetModel("wow").status().code,
            Code::kUnavailable);
}

// gRPC says that the handshake failed, and nothing that helps a person.
TEST_F(Security, ACertificateThatIsNotBelievedIsSaidClearly) {
  const Authority authority("an authority"), stranger("another authority");
  const TlsServer expired(&echo, authority,
                          authority.Issue("server", {.from = -7200, .until = -3600}));
  const TlsServer good(&echo, authority, authority.Issue("server"));
  const sluice::testing::TempDir directory;
  const Pem alice = authority.Issue("alice");
  const std::string path = directory.path() + "/";
  WriteText(path + "ca", authority.certificate());
  WriteText(path + "stranger", stranger.certificate());
  WriteText(path + "cert", alice.certificate);
  WriteText(path + "key", alice.key);
  ClientOptions options;
  options.tls = {.ca_file = path + "ca", .cert_file = path + "cert", .key_file = path + "key"};
  const Status late = Client::Connect(expired.address(), options)->GetModel("wow").status();
  EXPECT_EQ(late.code, Code::kUnavailable);
  EXPECT_THAT(late.message, HasSubstr("may have expired"));
  options.tls->ca_file = path + "stranger";
  const Status unknown = Client::Connect(good.address(), options)->GetModel("wow").status();
  EXPECT_EQ(unknown.code, Code::kUnavailable);
  EXPECT_THAT(unknown.message, HasSubstr("--tls-ca"));
}

}  // namespace
}  // namespace sluice
