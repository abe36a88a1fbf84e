// ServerProcess: a real sluiced on a free port, as a child process that a test may
// kill, stop or starve, and start again on the same data directory.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/client.h"
#include "tests/support/temp_dir.h"

namespace sluice::testing {

// How a process ended.
struct Exit {
  std::optional<int> code;    // It exited with this, or
  std::optional<int> signal;  // a signal ended it.
};

struct ServerOptions {
  std::string data_dir;
  int port = 0;                                            // 0: a free one.
  std::optional<uint64_t> file_size_limit = std::nullopt;  // Bytes that a file may grow to.
  std::string host = "127.0.0.1";                          // To listen on.
  std::vector<std::string> flags = {};                     // Beside those for the above.
};

// Not thread-safe, except that address() and Connect() may be called on any thread
// between Start() and the end. The destructor kills the process.
class ServerProcess {
 public:
  ServerProcess() = default;
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Starts the server and waits until it listens. False when it ended instead:
  // Wait() and Log() then say how.
  bool Start(const ServerOptions& options);
  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  int port() const { return port_; }
  std::string address() const;
  std::unique_ptr<Client> Connect(ClientOptions options = {}) const;

  // Each waits for the end of the process.
  Exit Kill();       // SIGKILL
  Exit Terminate();  // SIGTERM
  Exit Wait();

  // False when the process still runs after this long.
  bool EndsWithin(std::chrono::microseconds time) const;

  int64_t ResidentBytes() const;
  std::string Log() const;  // What it wrote to stderr since Start.

 private:
  void Spawn(const ServerOptions& options);
  bool WaitForPort();
  void CloseHandles();

  pid_t pid_ = -1;
  int pid_handle_ = -1;
  int directory_watch_ = -1;
  int port_ = 0;
  std::optional<Exit> exit_;
  std::unique_ptr<TempDir> scratch_;  // Port file and log.
};

}  // namespace sluice::testing
