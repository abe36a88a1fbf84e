#include "tests/support/server_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

namespace sluice::testing {
namespace {

[[noreturn]] void Die(const char* what) { throw std::runtime_error(std::string(what) + " failed"); }

// Runs in the child, between fork and exec: system calls only.
void LimitFiles(const std::optional<uint64_t>& bytes) {
  if (!bytes) return;
  const rlimit limit{*bytes, *bytes};
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(126);
  signal(SIGXFSZ, SIG_IGN);  // Writes fail instead of ending the process.
}

}  // namespace

ServerProcess::~ServerProcess() {
  if (running()) Kill();
  CloseHandles();
}

bool ServerProcess::Start(const ServerOptions& options) {
  if (running()) Die("starting a server that runs");
  CloseHandles();
  exit_.reset();
  port_ = 0;
  scratch_ = std::make_unique<TempDir>();
  directory_watch_ = inotify_init1(IN_CLOEXEC);
  if (inotify_add_watch(directory_watch_, scratch_->path().c_str(), IN_CLOSE_WRITE | IN_MOVED_TO) <
      0) {
    Die("inotify_add_watch");
  }
  Spawn(options);
  return WaitForPort();
}

void ServerProcess::Spawn(const ServerOptions& options) {
  const std::string program = std::string(SLUICE_BIN_DIR) + "/sluiced";
  const std::string log = scratch_->path() + "/log";
  std::vector<std::string> words = {program,
                                    "--data-dir",
                                    options.data_dir,
                                    "--listen",
                                    options.host + ":" + std::to_string(options.port),
                                    "--port-file",
                                    scratch_->path() + "/port"};
  words.insert(words.end(), options.flags.begin(), options.flags.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  pid_ = fork();
  if (pid_ < 0) Die("fork");
  if (pid_ == 0) {
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    LimitFiles(options.file_size_limit);
    execv(argv[0], argv.data());
    _exit(127);
  }
  pid_handle_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (pid_handle_ < 0) Die("pidfd_open");
}

// Woken by the end of the process and by each file that is completed in the scratch
// directory: a port file written halfway is never read.
bool ServerProcess::WaitForPort() {
  for (;;) {
    pollfd handles[] = {{directory_watch_, POLLIN, 0}, {pid_handle_, POLLIN, 0}};
    if (poll(handles, 2, /*timeout=*/-1) < 0) continue;
    if ((handles[1].revents & POLLIN) != 0) {
      Wait();
      return false;
    }
    char events[4096];
    if (read(directory_watch_, events, sizeof(events)) < 0) Die("read of inotify");
    std::ifstream file(scratch_->path() + "/port");
    std::string line;
    if (!std::getline(file, line)) continue;
    port_ = std::stoi(line.substr(line.rfind(':') + 1));  // "port" or "host:port".
    return true;
  }
}

std::string ServerProcess::address() const { return "127.0.0.1:" + std::to_string(port_); }

std::unique_ptr<Client> ServerProcess::Connect(ClientOptions options) const {
  return Client::Connect(address(), options);
}

Exit ServerProcess::Kill() {
  if (running()) kill(pid_, SIGKILL);
  return Wait();
}

Exit ServerProcess::Terminate() {
  if (running()) kill(pid_, SIGTERM);
  return Wait();
}

Exit ServerProcess::Wait() {
  if (!running()) return exit_.value_or(Exit{});
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
  }
  pid_ = -1;
  exit_ = Exit{};
  if (WIFEXITED(status)) exit_->code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) exit_->signal = WTERMSIG(status);
  return *exit_;
}

bool ServerProcess::EndsWithin(std::chrono::microseconds time) const {
  pollfd handle = {pid_handle_, POLLIN, 0};
  const timespec limit = {time.count() / 1000000, (time.count() % 1000000) * 1000};
  return ppoll(&handle, 1, &limit, nullptr) > 0;
}

int64_t ServerProcess::ResidentBytes() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/statm");
  int64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

std::string ServerProcess::Log() const {
  std::ifstream file(scratch_->path() + "/log");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void ServerProcess::CloseHandles() {
  for (int* handle : {&pid_handle_, &directory_watch_}) {
    if (*handle >= 0) close(*handle);
    *handle = -1;
  }
}

}  // namespace sluice::testing
