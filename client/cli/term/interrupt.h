// DetachOnInterrupt: what Ctrl-C does while a job is watched.
#pragma once

#include <string>

namespace sluice::cli {

// While it lives, SIGINT and SIGTERM write `message` to stderr and end the process
// with exit code 130. Nothing is lost: the job lives on the server. One at a time.
class DetachOnInterrupt {
 public:
  explicit DetachOnInterrupt(const std::string& message);
  ~DetachOnInterrupt();
  DetachOnInterrupt(const DetachOnInterrupt&) = delete;
  DetachOnInterrupt& operator=(const DetachOnInterrupt&) = delete;
};

}  // namespace sluice::cli
