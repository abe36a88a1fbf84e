// RedrawnLine: one line on stderr that says how far something is.
#pragma once

#include <chrono>
#include <iosfwd>
#include <string>

#include "client/cli/term/terminal.h"

namespace sluice::cli {

// Redrawn in place on a terminal, at most ten times a second; nothing elsewhere, and
// nothing for what is done within half a second. One thread.
class RedrawnLine {
 public:
  using Clock = std::chrono::steady_clock;

  RedrawnLine(Terminal terminal, Clock::time_point start, std::ostream& out);
  // The line goes.
  ~RedrawnLine();
  RedrawnLine(const RedrawnLine&) = delete;
  RedrawnLine& operator=(const RedrawnLine&) = delete;

  bool IsDue(Clock::time_point now) const;
  // What does not fit is cut off.
  void Show(const std::string& line, Clock::time_point now);

 private:
  const Terminal terminal_;
  std::ostream& out_;
  Clock::time_point shown_at_;
  bool on_screen_ = false;
};

}  // namespace sluice::cli
