#include "client/cli/context.h"

#include <chrono>
#include <iostream>

namespace sluice::cli {

Client& Context::client() {
  if (client_ == nullptr) {
    ClientOptions options;
    options.timeout = std::chrono::milliseconds(static_cast<int64_t>(timeout_seconds * 1000));
    client_ = Client::Connect(server, options);
  }
  return *client_;
}

std::string PlainId(const std::string& name, const std::string& collection) {
  const std::string prefix = collection + "/";
  return name.compare(0, prefix.size(), prefix) == 0 ? name.substr(prefix.size()) : name;
}

void Say(const std::string& message) { std::cerr << "sluice: " << message << std::endl; }

}  // namespace sluice::cli
