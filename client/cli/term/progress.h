// A training's progress on stderr: a bar redrawn in place, or plain lines.
#pragma once

#include <chrono>
#include <iosfwd>
#include <string>
#include <vector>

#include "client/cli/term/terminal.h"
#include "sluice/types.h"

namespace sluice::cli {

// "epoch 12/600  loss 3.4120  validation 3.5010  ..."
std::string ProgressLine(const TrainUpdate& update);

// The bar, the numbers below it and a curve of `losses`, in lines of at most
// `terminal.columns` columns.
std::vector<std::string> ProgressBlock(const std::string& job, const TrainUpdate& update,
                                       const std::vector<double>& losses, const Terminal& terminal);

// One job's progress as it comes. One thread.
class ProgressView {
 public:
  using Clock = std::chrono::steady_clock;

  ProgressView(std::string job, Terminal terminal, std::ostream& out);

  // Plain lines: at most one a second, and none for less than 2 % of the epochs;
  // the bar: at most ten times a second. Events always show.
  void Show(const TrainUpdate& update, Clock::time_point now);
  // A line of the caller's, above the bar. Control characters are replaced.
  void Note(const std::string& line);
  // The last state of the bar stays on the screen.
  void Finish();

  // What gives the terminal its cursor back, for an interrupted process.
  std::string RestoreTerminal() const;

 private:
  void Redraw();
  void Erase();
  bool Due(const TrainUpdate& update, Clock::time_point now) const;

  // Constant after construction.
  const std::string job_;
  const Terminal terminal_;
  std::ostream& out_;

  std::vector<double> losses_;
  TrainUpdate latest_;
  bool pending_ = false;  // `latest_` is not on the screen yet.
  size_t lines_on_screen_ = 0;
  Clock::time_point shown_at_{};
  int64_t shown_epoch_ = 0;
};

}  // namespace sluice::cli
