#include "sluice/client.h"

#include "client/src/call.h"
#include "client/src/client_impl.h"
#include "client/src/connection.h"
#include "client/src/decode.h"

namespace sluice {

std::unique_ptr<Client> Client::Connect(const std::string& address, ClientOptions options) {
  return MakeClient(ConnectStubs(address, options), options);
}

std::unique_ptr<Client> MakeClient(Stubs stubs, const ClientOptions& options) {
  return std::make_unique<ClientImpl>(std::move(stubs), options);
}

Result<Client::Health> ClientImpl::CheckHealth() {
  using Service = grpc::health::v1::Health::StubInterface;
  const grpc::health::v1::HealthCheckRequest whole_server;
  return Then(Call(*stubs_.health, &Service::Check, whole_server, options_.timeout),
              [](const grpc::health::v1::HealthCheckResponse& reply) {
                return Health{reply.status() == grpc::health::v1::HealthCheckResponse::SERVING};
              });
}

Result<Statistics> ClientImpl::GetStatistics() {
  using Service = v1::ServerService::StubInterface;
  return Then(
      Call(*stubs_.server, &Service::GetStatistics, v1::GetStatisticsRequest(), options_.timeout),
      DecodeStatistics);
}

}  // namespace sluice
