// The echo server: in a process of its own, as sluiced is.
#pragma once

#include <sys/types.h>

#include <string>

namespace sluiced::bench {

// The argument with which this program is the echo server.
inline constexpr char kEchoServer[] = "--echo-server";

// Writes its port (an int) to standard output and serves until standard input ends. The
// process's exit code.
int RunEchoServer();

// This program again, as the echo server. The destructor ends it.
class EchoProcess {
 public:
  EchoProcess();
  ~EchoProcess();
  EchoProcess(const EchoProcess&) = delete;
  EchoProcess& operator=(const EchoProcess&) = delete;

  const std::string& address() const { return address_; }

 private:
  pid_t pid_ = -1;
  int stdin_ = -1;
  std::string address_;
};

}  // namespace sluiced::bench
