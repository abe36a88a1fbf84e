#include "client/cli/term/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "client/cli/exit_code.h"

namespace sluice::cli {
namespace {

// A signal handler has no argument to carry these.
char message_text[512];
size_t message_length = 0;

void Detach(int) {
  // Only what is safe in a handler.
  const ssize_t ignored = write(STDERR_FILENO, message_text, message_length);
  static_cast<void>(ignored);
  _exit(kExitInterrupted);
}

void Handle(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

DetachOnInterrupt::DetachOnInterrupt(const std::string& message) {
  message_length = std::min(message.size(), sizeof(message_text));
  std::memcpy(message_text, message.data(), message_length);
  Handle(Detach);
}

DetachOnInterrupt::~DetachOnInterrupt() { Handle(SIG_DFL); }

}  // namespace sluice::cli
