#include "tests/rpc/access_fixture.h"

#include <chrono>

namespace sluiced::testing {

Seen CallEmpty(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
               const std::string& token) {
  return CallRaw(channel, method, "", token).seen;
}

bool Await(const std::function<grpc::StatusCode()>& call, grpc::StatusCode code) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (call() != code) {
    if (std::chrono::steady_clock::now() > give_up) return false;
  }
  return true;
}

AccessTest::AccessTest() { sluice::testing::WriteText(File("tokens"), Tokens()); }

std::string AccessTest::Tokens() const {
  return TokenLine("i", "infer", "infer") + TokenLine("t", "train", "train") +
         TokenLine("a", "admin", "admin") + TokenLine("x", "infer,train,admin", "all");
}

Config AccessTest::WithTokens() const {
  Config config;
  config.access.token_file = File("tokens");
  config.access.reload_interval = std::chrono::milliseconds(1);
  return config;
}

}  // namespace sluiced::testing
