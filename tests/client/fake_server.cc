#include "tests/client/fake_server.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <chrono>

namespace sluice {

FakeServer::FakeServer(std::vector<grpc::Service*> services) : services_(std::move(services)) {
  address_ = "unix:" + directory_.path() + "/socket";
  Start();
}

FakeServer::~FakeServer() { Stop(); }

std::unique_ptr<Client> FakeServer::Connect(ClientOptions options) const {
  return Client::Connect(address_, options);
}

void FakeServer::Start() {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
  for (grpc::Service* service : services_) builder.RegisterService(service);
  server_ = builder.BuildAndStart();
}

void FakeServer::Stop() {
  if (!server_) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
}

Matrix CountingRows(int64_t rows, int64_t cols) {
  Matrix matrix{rows, cols, {}, DType::kFloat32};
  matrix.values.reserve(static_cast<size_t>(rows * cols));
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t col = 0; col < cols; ++col) {
      const int64_t whole = col == 0 ? row : row % 1024;
      matrix.values.push_back(static_cast<double>(whole) + static_cast<double>(col) / 1024);
    }
  }
  return matrix;
}

}  // namespace sluice
