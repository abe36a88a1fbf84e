// Screen: a whole terminal, drawn again and again, that gives it back as it was.
#pragma once

#include <termios.h>

#include <chrono>
#include <string>
#include <vector>

namespace sluice::cli {

// Takes stdin and stdout, both terminals. One at a time, one thread. Whatever ends the
// command but SIGKILL gives the terminal back: the destructor, and SIGINT, SIGTERM and
// SIGHUP, which only end Wait.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  struct Size {
    int columns = 80;
    int rows = 24;
  };
  Size GetSize() const;

  // In one piece, over what was there: nothing flickers. Lines that do not fit are left
  // out; each must fit into the columns.
  void Draw(const std::vector<std::string>& lines) const;

  enum class Event {
    kTimeout,
    kResized,
    kLeave,  // q, Q, Ctrl-C, the end of stdin, or a signal that ends programs.
  };
  // The first that comes; other keys are passed over.
  Event Wait(std::chrono::milliseconds timeout) const;

 private:
  termios before_{};
};

// Whether stdin and stdout are terminals that can be drawn on.
bool CanDraw();

}  // namespace sluice::cli
