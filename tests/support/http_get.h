// HttpGet: one request over HTTP to this machine, the answer whole.
#pragma once

#include <string>

namespace sluice::testing {

struct HttpAnswer {
  int code = 0;  // 0: nobody answered.
  std::string headers;
  std::string body;
};
HttpAnswer HttpGet(int port, const std::string& path, const std::string& method = "GET");

}  // namespace sluice::testing
