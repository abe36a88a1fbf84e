#include "client/cli/term/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace sluice::cli {
namespace {

Terminal Detect(int file) {
  Terminal terminal;
  const char* term = std::getenv("TERM");
  terminal.interactive = isatty(file) == 1 && term != nullptr && std::string_view(term) != "dumb";
  const char* no_color = std::getenv("NO_COLOR");
  terminal.color = terminal.interactive && (no_color == nullptr || *no_color == '\0');
  winsize size{};
  if (ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.columns = size.ws_col;
  }
  return terminal;
}

}  // namespace

Terminal DetectStderr() { return Detect(STDERR_FILENO); }

Terminal DetectStdout() { return Detect(STDOUT_FILENO); }

}  // namespace sluice::cli
