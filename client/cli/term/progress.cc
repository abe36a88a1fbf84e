#include "client/cli/term/progress.h"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <utility>

#include "client/cli/term/braille_curve.h"
#include "client/cli/term/format.h"

namespace sluice::cli {
namespace {

constexpr int kCurveRows = 4;
constexpr int kWidestCurve = 72;
constexpr const char* kHideCursor = "\x1b[?25l";
constexpr const char* kShowCursor = "\x1b[?25h";

double LossOf(const TrainUpdate& update) {
  return update.validation_loss ? *update.validation_loss : update.train_loss.value_or(NAN);
}

double Fraction(const TrainUpdate& update) {
  if (update.epochs <= 0) return 0;
  return std::clamp(static_cast<double>(update.epoch) / static_cast<double>(update.epochs), 0.0,
                    1.0);
}

// Eighths of a character, so that the bar moves with every step.
std::string Bar(double fraction, int columns) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(fraction * columns * 8);
  std::string bar;
  for (int i = 0; i < eighths / 8; ++i) bar += "█";
  bar += kEighths[eighths % 8];
  while (static_cast<int>(DisplayWidth(bar)) < columns) bar += "░";
  return bar;
}

std::vector<std::string> Numbers(const TrainUpdate& update) {
  std::vector<std::string> parts;
  if (update.train_loss) parts.push_back("loss " + FormatLoss(*update.train_loss));
  if (update.validation_loss) parts.push_back("validation " + FormatLoss(*update.validation_loss));
  if (update.kl) parts.push_back("KL " + FormatLoss(*update.kl));
  if (update.ess_fraction) {
    parts.push_back("ESS " + FormatNumber(*update.ess_fraction * 100, 3) + " %");
  }
  parts.push_back("lr " + FormatNumber(update.learning_rate, 3));
  if (update.rows_per_second > 0) {
    parts.push_back(FormatRate(update.rows_per_second) + " rows/s");
  }
  if (update.seconds_left > 0) parts.push_back(FormatDuration(update.seconds_left) + " left");
  return parts;
}

// As many of the parts as fit into `columns`.
std::string Join(const std::vector<std::string>& parts, size_t columns) {
  std::string line;
  for (const std::string& part : parts) {
    const std::string next = line.empty() ? part : line + "  " + part;
    if (DisplayWidth(next) > columns) break;
    line = next;
  }
  return line;
}

std::string EpochText(const TrainUpdate& update) {
  return std::to_string(update.epoch) + "/" + std::to_string(update.epochs);
}

std::string Colored(const std::string& text, const char* code, const Terminal& terminal) {
  return terminal.color ? "\x1b[" + std::string(code) + "m" + text + "\x1b[0m" : text;
}

}  // namespace

std::string ProgressLine(const TrainUpdate& update) {
  std::vector<std::string> parts = Numbers(update);
  parts.insert(parts.begin(), "epoch " + EpochText(update));
  return Join(parts, 1000);
}

std::vector<std::string> ProgressBlock(const std::string& job, const TrainUpdate& update,
                                       const std::vector<double>& losses,
                                       const Terminal& terminal) {
  // One column stays free: a full last column makes some terminals wrap.
  const int columns = std::max(terminal.columns - 1, 10);
  const std::string name = job.size() > 24 ? job.substr(0, 21) + "..." : job;
  const std::string tail = " epoch " + EpochText(update);
  const int bar = columns - static_cast<int>(DisplayWidth(name) + DisplayWidth(tail)) - 1;
  std::vector<std::string> lines;
  if (bar >= 8) {
    const std::string drawn = Bar(Fraction(update), std::min(bar, 60));
    lines.push_back(name + " " + Colored(drawn, "34", terminal) + tail);
  } else {
    lines.push_back(Join({EpochText(update)}, static_cast<size_t>(columns)));
  }
  lines.push_back(Join(Numbers(update), static_cast<size_t>(columns)));
  if (losses.size() < 2) return lines;
  for (const std::string& line :
       BrailleCurve(losses, std::min(columns, kWidestCurve), kCurveRows)) {
    lines.push_back(Colored(line, "36", terminal));
  }
  return lines;
}

ProgressView::ProgressView(std::string job, Terminal terminal, std::ostream& out)
    : job_(std::move(job)), terminal_(terminal), out_(out) {}

void ProgressView::Show(const TrainUpdate& update, Clock::time_point now) {
  if (!update.message.empty()) Note(job_ + ": " + update.message);
  if (update.epoch <= 0 || (!update.train_loss && !update.validation_loss)) return;
  // What ends a job says its last epoch again.
  const bool again = update.epoch == latest_.epoch;
  latest_ = update;
  if (again) return;
  losses_.push_back(LossOf(update));
  pending_ = true;
  if (!Due(update, now)) return;
  shown_at_ = now;
  shown_epoch_ = update.epoch;
  Redraw();
}

bool ProgressView::Due(const TrainUpdate& update, Clock::time_point now) const {
  if (shown_at_ == Clock::time_point{}) return true;
  const auto since = now - shown_at_;
  if (terminal_.interactive) return since >= std::chrono::milliseconds(100);
  return since >= std::chrono::seconds(1) &&
         static_cast<double>(std::abs(update.epoch - shown_epoch_)) >=
             0.02 * static_cast<double>(update.epochs);
}

void ProgressView::Note(const std::string& line) {
  std::string text = line;
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  // In order: the epochs before an event come before it.
  if (pending_ && !terminal_.interactive) Redraw();
  Erase();
  out_ << text << std::endl;
  if (terminal_.interactive && !losses_.empty()) Redraw();
}

void ProgressView::Erase() {
  if (lines_on_screen_ == 0) return;
  out_ << "\r\x1b[" << lines_on_screen_ << "A\x1b[J" << kShowCursor;
  lines_on_screen_ = 0;
}

void ProgressView::Redraw() {
  pending_ = false;
  if (!terminal_.interactive) {
    out_ << ProgressLine(latest_) << std::endl;
    return;
  }
  // One write, so that no half-drawn block is ever seen.
  std::string block = kHideCursor;
  if (lines_on_screen_ > 0) block += "\r\x1b[" + std::to_string(lines_on_screen_) + "A";
  const std::vector<std::string> lines = ProgressBlock(job_, latest_, losses_, terminal_);
  for (const std::string& line : lines) block += line + "\x1b[K\n";
  lines_on_screen_ = lines.size();
  out_ << block << std::flush;
}

void ProgressView::Finish() {
  if (pending_) Redraw();
  if (terminal_.interactive) out_ << kShowCursor << std::flush;
}

std::string ProgressView::RestoreTerminal() const {
  return terminal_.interactive ? std::string("\n") + kShowCursor : "";
}

}  // namespace sluice::cli
