// FakeServer: real gRPC in this process, with services that a test writes.
#pragma once

#include <grpcpp/impl/service_type.h>
#include <grpcpp/server.h>

#include <memory>
#include <string>
#include <vector>

#include "sluice/client.h"
#include "tests/support/temp_dir.h"

namespace sluice {

// Listens on a socket in a directory of its own, so that it can come back under
// the same address. Not thread-safe. Services must outlive it.
class FakeServer {
 public:
  explicit FakeServer(std::vector<grpc::Service*> services);
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  const std::string& address() const { return address_; }
  std::unique_ptr<Client> Connect(ClientOptions options = {}) const;

  void Start();
  // Breaks every call, then waits for the handlers.
  void Stop();

 private:
  const std::vector<grpc::Service*> services_;
  const testing::TempDir directory_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

// The first value of each row is its number, the others tell rows and columns
// apart; all exact in float32.
Matrix CountingRows(int64_t rows, int64_t cols);

}  // namespace sluice
