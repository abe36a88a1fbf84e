#include "client/src/connection.h"

#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/client_interceptor.h>

#include <utility>
#include <vector>

#include "client/src/interceptors.h"
#include "client/src/security.h"
#include "client/src/traceparent.h"

namespace sluice {
namespace {

// Reads, and creations that a request_id makes safe to repeat. Format:
// https://github.com/grpc/proposal/blob/master/A6-client-retries.md
constexpr char kServiceConfig[] = R"json({"methodConfig": [{
  "name": [
    {"service": "grpc.health.v1.Health", "method": "Check"},
    {"service": "sluice.v1.ModelService", "method": "GetModel"},
    {"service": "sluice.v1.ModelService", "method": "ListModels"},
    {"service": "sluice.v1.ModelService", "method": "GetVersion"},
    {"service": "sluice.v1.ModelService", "method": "ListVersions"},
    {"service": "sluice.v1.ModelService", "method": "ExportVersion"},
    {"service": "sluice.v1.DatasetService", "method": "GetDataset"},
    {"service": "sluice.v1.DatasetService", "method": "ListDatasets"},
    {"service": "sluice.v1.DatasetService", "method": "DownloadDataset"},
    {"service": "sluice.v1.DatasetService", "method": "ListToys"},
    {"service": "sluice.v1.TrainingService", "method": "CreateTrainJob"},
    {"service": "sluice.v1.TrainingService", "method": "GetTrainJob"},
    {"service": "sluice.v1.TrainingService", "method": "ListTrainJobs"},
    {"service": "sluice.v1.TrainingService", "method": "ListTargets"},
    {"service": "sluice.v1.TrainingService", "method": "EvaluateTarget"},
    {"service": "sluice.v1.InferenceService", "method": "LogProb"},
    {"service": "sluice.v1.InferenceService", "method": "Sample"},
    {"service": "sluice.v1.InferenceService", "method": "Transform"},
    {"service": "sluice.v1.InferenceService", "method": "StreamSample"},
    {"service": "sluice.v1.ServerService", "method": "GetStatistics"}
  ],
  "retryPolicy": {"maxAttempts": 3, "initialBackoff": "0.1s", "maxBackoff": "1s",
                  "backoffMultiplier": 4, "retryableStatusCodes": ["UNAVAILABLE"]}
}]})json";

void AddRetries(grpc::ChannelArguments* arguments) {
  arguments->SetServiceConfigJSON(kServiceConfig);
  // A retried call is kept until its reply comes: it must fit.
  arguments->SetInt(GRPC_ARG_PER_RPC_RETRY_BUFFER_SIZE, 4 << 20);
}

grpc::ChannelArguments Arguments(const std::string& address, const ClientOptions& options,
                                 Retries retries) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  if (retries == Retries::kYes) {
    AddRetries(&arguments);
  } else {
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  }
  // A server that comes back is found within 2 s; gRPC's own default is 2 minutes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  // A watch may be quiet for hours: pings notice a server that died silently.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Clients do not share fate: each has its own connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // No proxy leads to this machine, whatever http_proxy says.
  if (IsLocal(address)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (options.tls && !options.tls->server_name.empty()) {
    arguments.SetSslTargetNameOverride(options.tls->server_name);
  }
  return arguments;
}

// gRPC ends with its last object in the process, and can block for 10 s in doing
// so after a large stream, as it waits out a poll of its own (seen with 1.51, in
// grpc_core::Executor::ShutdownAll). One reference that is never given back keeps
// that out of a client's destructor.
void KeepGrpcInitialized() { [[maybe_unused]] static const bool kept = (grpc_init(), true); }

}  // namespace

std::shared_ptr<grpc::Channel> ConnectChannel(const std::string& address,
                                              const ClientOptions& options, Retries retries) {
  KeepGrpcInitialized();
  Result<std::shared_ptr<grpc::ChannelCredentials>> credentials = MakeCredentials(options);
  Status usable = credentials.status();
  if (usable.ok()) usable = CheckToken(address, options);
  if (usable.ok()) usable = CheckTraceparent(options.traceparent);
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> interceptors;
  if (!usable.ok()) {
    interceptors.push_back(FailWith(usable));
  } else {
    if (!options.token.empty()) interceptors.push_back(SendToken(options.token));
    if (!options.traceparent.empty()) {
      interceptors.push_back(SendTraceparent(options.traceparent));
    }
  }
  return grpc::experimental::CreateCustomChannelWithInterceptors(
      address, usable.ok() ? *credentials : grpc::InsecureChannelCredentials(),
      Arguments(address, options, retries), std::move(interceptors));
}

Stubs ConnectStubs(const std::string& address, const ClientOptions& options) {
  const std::shared_ptr<grpc::Channel> channel = ConnectChannel(address, options, Retries::kYes);
  return Stubs{.health = grpc::health::v1::Health::NewStub(channel),
               .models = v1::ModelService::NewStub(channel),
               .datasets = v1::DatasetService::NewStub(channel),
               .training = v1::TrainingService::NewStub(channel),
               .inference = v1::InferenceService::NewStub(channel),
               .server = v1::ServerService::NewStub(channel),
               .backup = v1::BackupService::NewStub(channel),
               .evaluation = v1::EvaluationService::NewStub(channel)};
}

}  // namespace sluice
