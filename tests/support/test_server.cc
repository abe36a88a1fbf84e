#include "tests/support/test_server.h"

#include <google/protobuf/any.pb.h>

#include <ostream>
#include <stdexcept>

#include "server/flows/torch_setup.h"
#include "sluice/v1/status.pb.h"

namespace sluiced::testing {
namespace {

void Check(const grpc::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.error_message());
}

}  // namespace

TestServer::TestServer(Config config, const OpenStore& open) {
  flows::SetUpTorch();
  config.data_dir = directory_.path();
  config.listen = "127.0.0.1:0";
  if (config.threads == 0) config.threads = 2;
  auto opened = open(config.data_dir);
  if (!opened.ok()) throw std::runtime_error(opened.status().ToString());
  auto server = Server::StartOver(*std::move(opened), config);
  if (!server.ok()) throw std::runtime_error(server.status().ToString());
  server_ = *std::move(server);
  const auto channel = Connect();
  models = v1::ModelService::NewStub(channel);
  datasets = v1::DatasetService::NewStub(channel);
  training = v1::TrainingService::NewStub(channel);
  inference = v1::InferenceService::NewStub(channel);
}

std::string TestServer::address() const { return "127.0.0.1:" + std::to_string(server_->port()); }

std::shared_ptr<grpc::Channel> TestServer::Connect(
    const std::shared_ptr<grpc::ChannelCredentials>& credentials) const {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address(), credentials, arguments);
}

Seen SeenBy(const grpc::Status& status) {
  Seen seen{.code = status.error_code(),
            .message = status.error_message(),
            .field = {},
            .resource = {},
            .reason = {},
            .scope = {},
            .retry_seconds = {}};
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::BadRequest request;
    google::rpc::ResourceInfo resource;
    google::rpc::RetryInfo retry;
    google::rpc::ErrorInfo info;
    if (detail.UnpackTo(&request)) seen.field = request.field_violations(0).field();
    if (detail.UnpackTo(&resource)) seen.resource = resource.resource_name();
    if (detail.UnpackTo(&info)) {
      seen.reason = info.reason();
      const auto scope = info.metadata().find("scope");
      if (scope != info.metadata().end()) seen.scope = scope->second;
    }
    if (detail.UnpackTo(&retry)) {
      seen.retry_seconds = static_cast<double>(retry.retry_delay().seconds());
    }
  }
  return seen;
}

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << "code " << seen.code << " '" << seen.message << "' field "
             << seen.field.value_or("-") << " resource " << seen.resource.value_or("-")
             << " reason " << seen.reason.value_or("-") << " scope " << seen.scope.value_or("-")
             << " retry " << seen.retry_seconds.value_or(-1);
}

v1::CreateTrainJobRequest EndlessJob(const std::string& id) {
  v1::CreateTrainJobRequest request;
  request.set_train_job_id(id);
  request.mutable_train_job()->set_model("models/wow");
  request.mutable_train_job()->set_target("targets/ring");
  request.mutable_train_job()->mutable_config()->set_epochs(10'000'000);
  return request;
}

void MakeModel(TestServer& server, const std::string& id, int64_t dim) {
  v1::CreateModelRequest request;
  request.set_model_id(id);
  request.mutable_spec()->set_dim(dim);
  request.mutable_spec()->set_layers(4);
  request.mutable_spec()->set_hidden(8);
  request.mutable_spec()->set_initialization(v1::INITIALIZATION_UNIFORM);
  request.set_seed(1);
  grpc::ClientContext context;
  v1::Model model;
  Check(server.models->CreateModel(&context, request, &model));
}

void MakeDataset(TestServer& server, const std::string& id, int64_t rows) {
  v1::GenerateDatasetRequest request;
  request.set_dataset_id(id);
  request.set_toy("swiss-roll");
  request.set_rows(rows);
  grpc::ClientContext context;
  v1::Dataset dataset;
  Check(server.datasets->GenerateDataset(&context, request, &dataset));
}

v1::Tensor SmallNumbers(int64_t rows, int64_t cols) {
  v1::Tensor tensor;
  tensor.add_shape(rows);
  tensor.add_shape(cols);
  tensor.set_dtype(v1::DTYPE_FLOAT32);
  for (int64_t i = 0; i < rows * cols; ++i) {
    const float value = static_cast<float>(i) / 1000;
    tensor.mutable_data()->append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  return tensor;
}

}  // namespace sluiced::testing
