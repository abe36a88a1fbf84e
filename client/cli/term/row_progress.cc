#include "client/cli/term/row_progress.h"

#include <ostream>

#include "client/cli/term/format.h"

namespace sluice::cli {
namespace {

constexpr std::chrono::milliseconds kPatience{500};
constexpr std::chrono::milliseconds kBetweenLines{100};

}  // namespace

RowProgress::RowProgress(int64_t rows, Terminal terminal, Clock::time_point start,
                         std::ostream& out)
    : rows_(rows),
      terminal_(terminal),
      start_(start),
      out_(out),
      shown_at_(start + kPatience - kBetweenLines) {}

RowProgress::~RowProgress() {
  if (on_screen_) out_ << "\r\x1b[K" << std::flush;
}

std::string RowProgress::Line(int64_t done, double seconds) const {
  const double fraction = static_cast<double>(done) / static_cast<double>(rows_);
  const double rate = static_cast<double>(done) / seconds;
  std::string line = FormatNumber(100 * fraction, 3) + " %  ";
  line += FormatRate(rate) + " rows/s  ";
  line += FormatDuration(static_cast<double>(rows_ - done) / rate) + " left  ";
  line += FormatCount(done) + " of " + FormatCount(rows_) + " rows";
  return line.substr(0, static_cast<size_t>(terminal_.columns - 1));
}

void RowProgress::Show(int64_t done, Clock::time_point now) {
  if (!terminal_.interactive || done <= 0 || now - shown_at_ < kBetweenLines) return;
  shown_at_ = now;
  on_screen_ = true;
  const std::chrono::duration<double> took = now - start_;
  out_ << '\r' << Line(done, took.count()) << "\x1b[K" << std::flush;
}

}  // namespace sluice::cli
