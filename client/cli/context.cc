#include "client/cli/context.h"

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "client/cli/command_failure.h"
#include "client/cli/files/files.h"

namespace sluice::cli {

bool Context::wants_tls() const {
  return tls || !tls_files.ca_file.empty() || !tls_files.cert_file.empty() ||
         !tls_files.key_file.empty() || !tls_files.server_name.empty();
}

std::string Context::Token() const {
  const char* variable = std::getenv("SLUICE_TOKEN");
  std::string token = variable == nullptr ? "" : variable;
  if (!token_file.empty()) {
    token = OrFail(ReadFile(token_file));
    if (token.empty()) FailUsage("--token-file " + token_file + " is empty");
  }
  const size_t end = token.find_last_not_of(" \t\r\n");
  return token.substr(0, end == std::string::npos ? 0 : end + 1);
}

std::string Context::Traceparent() {
  const char* ours = std::getenv("SLUICE_TRACEPARENT");
  if (ours != nullptr && *ours != '\0') {
    if (!IsTraceparent(ours)) {
      FailUsage(
          "SLUICE_TRACEPARENT is no traceparent: 00-TRACE-PARENT-FLAGS, of 32, 16 and 2 hex "
          "digits in lower case");
    }
    return ours;
  }
  const char* theirs = std::getenv("TRACEPARENT");
  return theirs != nullptr && IsTraceparent(theirs) ? theirs : "";
}

ClientOptions Context::Options() const {
  ClientOptions options;
  if (wants_tls()) options.tls = tls_files;
  options.token = Token();
  options.insecure = insecure;
  options.traceparent = Traceparent();
  options.timeout = std::chrono::milliseconds(static_cast<int64_t>(timeout_seconds * 1000));
  return options;
}

Client& Context::client() {
  if (client_ == nullptr) client_ = Client::Connect(server, Options());
  return *client_;
}

std::string PlainId(const std::string& name, const std::string& collection) {
  const std::string prefix = collection + "/";
  return name.compare(0, prefix.size(), prefix) == 0 ? name.substr(prefix.size()) : name;
}

void Say(const std::string& message) { std::cerr << "sluice: " << message << std::endl; }

}  // namespace sluice::cli
