#include "client/cli/term/row_progress.h"

#include "client/cli/term/format.h"

namespace sluice::cli {

std::string RowProgress::Line(int64_t done, double seconds) const {
  const double fraction = static_cast<double>(done) / static_cast<double>(rows_);
  const double rate = static_cast<double>(done) / seconds;
  std::string line = FormatNumber(100 * fraction, 3) + " %  ";
  line += FormatRate(rate) + " rows/s  ";
  line += FormatDuration(static_cast<double>(rows_ - done) / rate) + " left  ";
  line += FormatCount(done) + " of " + FormatCount(rows_) + " rows";
  return line;
}

void RowProgress::Show(int64_t done, Clock::time_point now) {
  if (done <= 0 || !line_.IsDue(now)) return;
  const std::chrono::duration<double> took = now - start_;
  line_.Show(Line(done, took.count()), now);
}

}  // namespace sluice::cli
