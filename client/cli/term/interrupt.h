// What Ctrl-C does while a job is watched, and while a file is written.
#pragma once

#include <string>

namespace sluice::cli {

// While it lives, SIGINT and SIGTERM write `message` to stderr and end the process
// with exit code 130. Nothing is lost: the job lives on the server. One of these two
// classes at a time.
class DetachOnInterrupt {
 public:
  explicit DetachOnInterrupt(const std::string& message);
  ~DetachOnInterrupt();
  DetachOnInterrupt(const DetachOnInterrupt&) = delete;
  DetachOnInterrupt& operator=(const DetachOnInterrupt&) = delete;

  // What is said from now on. A signal meanwhile says the one or the other, whole.
  void Replace(const std::string& message);
};

// While it lives, SIGINT, SIGTERM and SIGHUP remove the file, write `message` to
// stderr and end the process with exit code 130.
class RemoveOnInterrupt {
 public:
  RemoveOnInterrupt(const std::string& path, const std::string& message);
  ~RemoveOnInterrupt();
  RemoveOnInterrupt(const RemoveOnInterrupt&) = delete;
  RemoveOnInterrupt& operator=(const RemoveOnInterrupt&) = delete;
};

}  // namespace sluice::cli
