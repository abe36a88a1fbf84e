#include "client/cli/term/interrupt.h"

#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "client/cli/exit_code.h"

namespace sluice::cli {
namespace {

struct Message {
  char text[512 + PATH_MAX];
  size_t length = 0;
};

// A signal handler has no argument to carry these. Of two messages one is shown and
// the other may be replaced.
Message messages[2];
volatile sig_atomic_t shown = 0;
char file_to_remove[PATH_MAX];

void SetMessage(const std::string& text) {
  const int other = 1 - shown;
  Message& message = messages[other];
  message.length = std::min(text.size(), sizeof(message.text));
  std::memcpy(message.text, text.data(), message.length);
  shown = other;
}

// Only what is safe in a handler.
void Leave(int) {
  if (file_to_remove[0] != '\0') unlink(file_to_remove);
  const Message& message = messages[shown];
  const ssize_t ignored = write(STDERR_FILENO, message.text, message.length);
  static_cast<void>(ignored);
  _exit(kExitInterrupted);
}

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

}  // namespace

DetachOnInterrupt::DetachOnInterrupt(const std::string& message) {
  SetMessage(message);
  for (const int signal : {SIGINT, SIGTERM}) Handle(signal, Leave);
}

DetachOnInterrupt::~DetachOnInterrupt() {
  for (const int signal : {SIGINT, SIGTERM}) Handle(signal, SIG_DFL);
}

void DetachOnInterrupt::Replace(const std::string& message) { SetMessage(message); }

RemoveOnInterrupt::RemoveOnInterrupt(const std::string& path, const std::string& message) {
  SetMessage(message);
  const size_t length = std::min(path.size(), sizeof(file_to_remove) - 1);
  std::memcpy(file_to_remove, path.data(), length);
  file_to_remove[length] = '\0';
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) Handle(signal, Leave);
}

RemoveOnInterrupt::~RemoveOnInterrupt() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) Handle(signal, SIG_DFL);
  file_to_remove[0] = '\0';
}

}  // namespace sluice::cli
