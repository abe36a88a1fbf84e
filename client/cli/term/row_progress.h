// RowProgress: how far a long table is, on stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

#include "client/cli/term/redrawn_line.h"
#include "client/cli/term/terminal.h"

namespace sluice::cli {

// As RedrawnLine shows it. One thread.
class RowProgress {
 public:
  using Clock = RedrawnLine::Clock;

  RowProgress(int64_t rows, Terminal terminal, Clock::time_point start, std::ostream& out)
      : rows_(rows), start_(start), line_(terminal, start, out) {}

  void Show(int64_t done, Clock::time_point now);

 private:
  std::string Line(int64_t done, double seconds) const;

  const int64_t rows_;
  const Clock::time_point start_;
  RedrawnLine line_;
};

}  // namespace sluice::cli
