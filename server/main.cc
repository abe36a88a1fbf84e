// sluiced: the Sluice server.
#include <grpcpp/grpcpp.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/common/status_macros.h"
#include "server/config.h"
#include "server/engine/simd_target.h"
#include "server/flows/torch_setup.h"
#include "server/observe/logging.h"
#include "server/server.h"

namespace sluiced {
namespace {

// The main thread's id is the process's. Async-signal-safe.
void PassToMainThread(int number) { syscall(SYS_tgkill, getpid(), getpid(), number); }

// Signals that end the server wait here until WaitForSignal takes them: blocked
// before our threads start, so that none is interrupted by them. The threads that
// OpenBLAS started while it was loaded block nothing: they pass them on.
sigset_t BlockEndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGTERM, PassToMainThread);
  signal(SIGINT, PassToMainThread);
  signal(SIGPIPE, SIG_IGN);  // A log that nobody reads any more ends nothing.
  return signals;
}

std::string WaitForSignal(const sigset_t& signals) {
  int number = 0;
  sigwait(&signals, &number);
  return number == SIGTERM ? "SIGTERM" : "SIGINT";
}

// What clients dial: `listen` with the port that was bound.
std::string AddressOf(const std::string& listen, int port) {
  if (listen.starts_with("unix:")) return listen;
  return absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port);
}

// Complete or absent: whoever waits for the file never reads half a line.
absl::Status WriteAddress(const std::string& path, const std::string& address) {
  const std::string unfinished = absl::StrCat(path, ".tmp");
  std::ofstream file(unfinished);
  file << address << "\n";
  file.close();
  if (!file || std::rename(unfinished.c_str(), path.c_str()) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot write --port-file ", path));
  }
  return absl::OkStatus();
}

absl::Status Run(const Config& config, const sigset_t& signals) {
  RETURN_IF_ERROR(observe::SetUpLogging(config.log));
  if (config.check) {
    RETURN_IF_ERROR(CheckConfig(config));
    std::puts("the configuration is sound");
    return absl::OkStatus();
  }
  flows::SetUpTorch();
  ASSIGN_OR_RETURN(std::unique_ptr<Server> server, Server::Start(config));
  const std::string address = AddressOf(config.listen, server->port());
  spdlog::info(
      "sluiced {} listens on {}: data in {}, {} inference threads, at most {} jobs at once on {} "
      "threads each, engine on {}, LibTorch {} on {}, gRPC {}",
      SLUICE_VERSION, address, config.data_dir, config.threads, config.max_running_jobs,
      config.train_run.threads, engine::SimdTargets().front().name, SLUICE_TORCH_VERSION,
      flows::BlasName(), grpc::Version());
  if (!config.port_file.empty()) RETURN_IF_ERROR(WriteAddress(config.port_file, address));
  const std::string name = WaitForSignal(signals);
  spdlog::info("{}: finishing what is in flight; the same again ends at once", name);
  signal(SIGTERM, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  server->Drain();
  spdlog::info("ended");
  return absl::OkStatus();
}

}  // namespace
}  // namespace sluiced

int main(int argc, char** argv) {
  const sigset_t signals = sluiced::BlockEndingSignals();
  const sluiced::Config config = sluiced::ParseConfig(argc, argv);
  const absl::Status status = sluiced::Run(config, signals);
  if (status.ok()) return 0;
  std::fprintf(stderr, "sluiced: %s\n", std::string(status.message()).c_str());
  return 1;
}
