// RowProgress: how far a long table is, on stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

#include "client/cli/term/terminal.h"

namespace sluice::cli {

// One line redrawn in place on a terminal; nothing elsewhere, and nothing for what
// is done within half a second. One thread.
class RowProgress {
 public:
  using Clock = std::chrono::steady_clock;

  RowProgress(int64_t rows, Terminal terminal, Clock::time_point start, std::ostream& out);
  // The line goes.
  ~RowProgress();
  RowProgress(const RowProgress&) = delete;
  RowProgress& operator=(const RowProgress&) = delete;

  void Show(int64_t done, Clock::time_point now);

 private:
  std::string Line(int64_t done, double seconds) const;

  const int64_t rows_;
  const Terminal terminal_;
  const Clock::time_point start_;
  std::ostream& out_;
  Clock::time_point shown_at_;
  bool on_screen_ = false;
};

}  // namespace sluice::cli
