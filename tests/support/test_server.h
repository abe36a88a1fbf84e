// TestServer: the whole server in this process, on a free port and a directory of its
// own, with plain gRPC stubs to it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/server.h"
#include "server/store/sqlite_store.h"
#include "sluice/v1/dataset.grpc.pb.h"
#include "sluice/v1/inference.grpc.pb.h"
#include "sluice/v1/model.grpc.pb.h"
#include "sluice/v1/training.grpc.pb.h"
#include "tests/support/temp_dir.h"

namespace sluiced::testing {

namespace v1 = ::sluice::v1;

// Throws where the server does not start. The destructor ends it and removes its
// directory.
class TestServer {
 public:
  using OpenStore =
      std::function<absl::StatusOr<std::unique_ptr<store::Store>>(const std::string& data_dir)>;
  explicit TestServer(Config config = {}, const OpenStore& open = store::OpenSqliteStore);
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  Server& server() { return *server_; }
  std::string address() const;
  const std::string& data_dir() const { return directory_.path(); }
  // A connection of its own each time, without a limit on what is received.
  std::shared_ptr<grpc::Channel> Connect(
      const std::shared_ptr<grpc::ChannelCredentials>& credentials =
          grpc::InsecureChannelCredentials()) const;

  std::unique_ptr<v1::ModelService::Stub> models;
  std::unique_ptr<v1::DatasetService::Stub> datasets;
  std::unique_ptr<v1::TrainingService::Stub> training;
  std::unique_ptr<v1::InferenceService::Stub> inference;

 private:
  const sluice::testing::TempDir directory_;
  std::unique_ptr<Server> server_;
};

// An error as a client sees it, its google.rpc.Status details decoded.
struct Seen {
  grpc::StatusCode code;
  std::string message;
  std::optional<std::string> field;
  std::optional<std::string> resource;
  std::optional<std::string> reason;
  std::optional<std::string> scope;
  std::optional<double> retry_seconds;
};
Seen SeenBy(const grpc::Status& status);
std::ostream& operator<<(std::ostream& out, const Seen& seen);

// A train job of models/wow on a target that ends when it is cancelled.
v1::CreateTrainJobRequest EndlessJob(const std::string& id);

// A model `id` of `dim` dimensions and 4 layers, hidden 8, and a dataset `id` of the
// swiss roll (3 columns). Throw where the server refuses.
void MakeModel(TestServer& server, const std::string& id, int64_t dim);
void MakeDataset(TestServer& server, const std::string& id, int64_t rows);

// float32 [rows, cols] of 0, 0.001, 0.002, ...
v1::Tensor SmallNumbers(int64_t rows, int64_t cols);

}  // namespace sluiced::testing
