// Stubs: everything the client knows of the server. A test puts its own in place.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "grpc/health/v1/health.grpc.pb.h"
#include "sluice/client.h"
#include "sluice/v1/backup.grpc.pb.h"
#include "sluice/v1/dataset.grpc.pb.h"
#include "sluice/v1/evaluation.grpc.pb.h"
#include "sluice/v1/inference.grpc.pb.h"
#include "sluice/v1/model.grpc.pb.h"
#include "sluice/v1/server.grpc.pb.h"
#include "sluice/v1/training.grpc.pb.h"

namespace sluice {

struct Stubs {
  std::unique_ptr<grpc::health::v1::Health::StubInterface> health;
  std::unique_ptr<v1::ModelService::StubInterface> models;
  std::unique_ptr<v1::DatasetService::StubInterface> datasets;
  std::unique_ptr<v1::TrainingService::StubInterface> training;
  std::unique_ptr<v1::InferenceService::StubInterface> inference;
  std::unique_ptr<v1::ServerService::StubInterface> server;
  std::unique_ptr<v1::BackupService::StubInterface> backup;
  std::unique_ptr<v1::EvaluationService::StubInterface> evaluation;
};

// Whether calls that may be repeated safely are tried up to three times while the
// server is UNAVAILABLE.
enum class Retries { kNo, kYes };

// A channel of its own connection. Never blocks; options that cannot be used show in
// every call as INVALID_ARGUMENT.
std::shared_ptr<grpc::Channel> ConnectChannel(const std::string& address,
                                              const ClientOptions& options, Retries retries);

// Stubs over one channel to `address`, with retries. Never blocks.
Stubs ConnectStubs(const std::string& address, const ClientOptions& options);

std::unique_ptr<Client> MakeClient(Stubs stubs, const ClientOptions& options);

}  // namespace sluice
