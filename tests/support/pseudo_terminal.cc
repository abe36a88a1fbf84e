#include "tests/support/pseudo_terminal.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace sluice::testing {
namespace {

constexpr int kLongMilliseconds = 60'000;

}  // namespace

PseudoTerminal::PseudoTerminal(const std::vector<std::string>& command) {
  std::vector<std::string> words = command;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  winsize size{};
  size.ws_col = 80;
  size.ws_row = 24;
  pid_ = forkpty(&terminal_, nullptr, nullptr, &size);
  if (pid_ < 0) throw std::runtime_error("forkpty failed");
  if (pid_ > 0) return;
  setenv("TERM", "xterm", 1);
  execv(argv[0], argv.data());
  _exit(127);
}

PseudoTerminal::~PseudoTerminal() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(terminal_);
}

bool PseudoTerminal::ReadMore() {
  pollfd handle = {terminal_, POLLIN, 0};
  if (poll(&handle, 1, kLongMilliseconds) <= 0) return false;
  char part[4096];
  const ssize_t size = read(terminal_, part, sizeof(part));
  if (size <= 0) return false;
  seen_.append(part, static_cast<size_t>(size));
  return true;
}

bool PseudoTerminal::Await(const std::string& text) {
  const auto give_up =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(kLongMilliseconds);
  while (std::chrono::steady_clock::now() < give_up) {
    const size_t at = seen_.find(text, looked_at_);
    if (at != std::string::npos) {
      looked_at_ = at + text.size();
      return true;
    }
    if (!ReadMore()) return false;
  }
  return false;
}

void PseudoTerminal::Type(const std::string& keys) const {
  if (write(terminal_, keys.data(), keys.size()) < 0) throw std::runtime_error("write failed");
}

void PseudoTerminal::Resize(int columns, int rows) const {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = static_cast<unsigned short>(rows);
  if (ioctl(terminal_, TIOCSWINSZ, &size) != 0) throw std::runtime_error("TIOCSWINSZ failed");
}

void PseudoTerminal::Signal(int signal) const { kill(pid_, signal); }

int PseudoTerminal::Wait() {
  using Clock = std::chrono::steady_clock;
  const auto give_up = Clock::now() + std::chrono::milliseconds(kLongMilliseconds);
  while (Clock::now() < give_up && ReadMore()) {
  }
  int status = 0;
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    // One that stays is ended, so that the test says what it drew.
    if (Clock::now() >= give_up) kill(pid_, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace sluice::testing
