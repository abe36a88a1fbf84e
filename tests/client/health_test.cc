#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include "sluice/client.h"

namespace sluice {
namespace {

TEST(Health, OfGrpcsOwnServiceWithReflectionLinked) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto client = Client::Connect("127.0.0.1:" + std::to_string(port));
  for (const bool serving : {true, false}) {
    server->GetHealthCheckService()->SetServingStatus(serving);
    const Result<Client::Health> health = client->CheckHealth();
    ASSERT_TRUE(health.ok()) << health.status().ToString();
    EXPECT_EQ(health->serving, serving);
  }
  grpc::EnableDefaultHealthCheckService(false);
}

}  // namespace
}  // namespace sluice
