#include "client/cli/term/redrawn_line.h"

#include <ostream>

namespace sluice::cli {
namespace {

constexpr std::chrono::milliseconds kPatience{500};
constexpr std::chrono::milliseconds kBetweenLines{100};

}  // namespace

RedrawnLine::RedrawnLine(Terminal terminal, Clock::time_point start, std::ostream& out)
    : terminal_(terminal), out_(out), shown_at_(start + kPatience - kBetweenLines) {}

RedrawnLine::~RedrawnLine() {
  if (on_screen_) out_ << "\r\x1b[K" << std::flush;
}

bool RedrawnLine::IsDue(Clock::time_point now) const {
  return terminal_.interactive && now - shown_at_ >= kBetweenLines;
}

void RedrawnLine::Show(const std::string& line, Clock::time_point now) {
  shown_at_ = now;
  on_screen_ = true;
  out_ << '\r' << line.substr(0, static_cast<size_t>(terminal_.columns - 1)) << "\x1b[K"
       << std::flush;
}

}  // namespace sluice::cli
