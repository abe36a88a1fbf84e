#include "client/cli/term/screen.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace sluice::cli {
namespace {

constexpr char kEnter[] = "\x1b[?1049h\x1b[?25l";  // A screen of our own, without cursor.
constexpr char kLeave[] = "\x1b[?25h\x1b[?1049l";
constexpr char kControlC = 3;

// A signal handler has no argument to carry these.
volatile sig_atomic_t ended = 0;
volatile sig_atomic_t resized = 0;

void NoteEnd(int) { ended = 1; }
void NoteResize(int) { resized = 1; }

// Without SA_RESTART: poll returns.
void Handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

void Write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR && errno != EAGAIN) return;
    if (written > 0) text.remove_prefix(static_cast<size_t>(written));
  }
}

// False where one of the keys says so. There may be none, whatever poll said: Ctrl-C takes
// those away that were typed before it.
bool ReadKeys() {
  char keys[64];
  const ssize_t count = read(STDIN_FILENO, keys, sizeof(keys));
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  for (ssize_t i = 0; i < count; ++i) {
    if (keys[i] == 'q' || keys[i] == 'Q' || keys[i] == kControlC) return false;
  }
  return true;
}

}  // namespace

bool CanDraw() {
  const char* term = std::getenv("TERM");
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && term != nullptr &&
         std::string_view(term) != "dumb";
}

Screen::Screen() {
  ended = 0;
  resized = 0;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) Handle(signal, NoteEnd);
  Handle(SIGWINCH, NoteResize);
  tcgetattr(STDIN_FILENO, &before_);
  termios keys = before_;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  keys.c_cc[VMIN] = keys.c_cc[VTIME] = 0;  // A read waits for nothing.
  tcsetattr(STDIN_FILENO, TCSANOW, &keys);
  Write(kEnter);
}

Screen::~Screen() {
  Write(kLeave);
  tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) Handle(signal, SIG_DFL);
}

Screen::Size Screen::GetSize() const {
  Size size;
  winsize window{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0) {
    size.columns = window.ws_col;
    size.rows = window.ws_row;
  }
  return size;
}

void Screen::Draw(const std::vector<std::string>& lines) const {
  const auto rows = static_cast<size_t>(GetSize().rows);
  std::string text = "\x1b[H";
  for (size_t i = 0; i < lines.size() && i < rows; ++i) {
    if (i > 0) text += "\r\n";
    // The rest of the line first: after a full one the cursor still stands on its last
    // column, which would go.
    text += "\x1b[K" + lines[i];
  }
  if (lines.size() < rows) text += "\r\n\x1b[J";
  Write(text);
}

Screen::Event Screen::Wait(std::chrono::milliseconds timeout) const {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point until = Clock::now() + timeout;
  for (;;) {
    if (ended != 0) return Event::kLeave;
    if (resized != 0) {
      resized = 0;
      return Event::kResized;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    pollfd input = {STDIN_FILENO, POLLIN, 0};
    // Even without time: whoever is always late still looks at the keys.
    const int ready = poll(&input, 1, std::max(0, static_cast<int>(left.count())));
    if (ready > 0 && ((input.revents & (POLLHUP | POLLERR)) != 0 || !ReadKeys())) {
      return Event::kLeave;
    }
    if (ready == 0) return Event::kTimeout;
  }
}

}  // namespace sluice::cli
