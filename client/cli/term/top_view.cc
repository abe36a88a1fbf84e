#include "client/cli/term/top_view.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <utility>

#include "client/cli/term/format.h"

namespace sluice::cli {
namespace {

using Cells = std::vector<std::string>;

// A second, of each kind.
struct Rates {
  double calls = 0, errors = 0, rows = 0;
};

double Quotient(int64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

const MethodStatistics* FindMethod(const Statistics& statistics, const std::string& method) {
  const auto found =
      std::find_if(statistics.methods.begin(), statistics.methods.end(),
                   [&](const MethodStatistics& other) { return other.method == method; });
  return found == statistics.methods.end() ? nullptr : &*found;
}

// A server that was started again counts from 0: what went before is nothing to it.
bool IsLater(const TopFrame& frame) {
  return frame.before && frame.before->start_time == frame.now.start_time &&
         frame.before->time < frame.now.time;
}

Rates RatesOf(const TopFrame& frame, const MethodStatistics& method) {
  if (!IsLater(frame)) {
    const double window = frame.now.window_seconds;
    return {Quotient(method.recent_calls, window), Quotient(method.recent_errors, window),
            Quotient(method.recent_rows, window)};
  }
  const std::chrono::duration<double> passed = frame.now.time - frame.before->time;
  const MethodStatistics* found = FindMethod(*frame.before, method.method);
  const MethodStatistics before = found == nullptr ? MethodStatistics() : *found;
  return {Quotient(method.calls - before.calls, passed.count()),
          Quotient(method.errors - before.errors, passed.count()),
          Quotient(method.rows - before.rows, passed.count())};
}

// "0", "0.3", "12", "4812", "85 k".
std::string RateText(double per_second) {
  if (per_second > 0 && per_second < 9.95) {
    char text[16];
    std::snprintf(text, sizeof(text), "%.1f", per_second);
    return text;
  }
  return FormatRate(per_second);
}

std::string TimeText(double seconds) {
  if (seconds <= 0) return "-";
  if (seconds < 1e-3) return FormatNumber(seconds * 1e6, 3) + " us";
  if (seconds < 1) return FormatNumber(seconds * 1e3, 3) + " ms";
  if (seconds < 100) return FormatNumber(seconds, 3) + " s";
  return FormatDuration(seconds);
}

std::string LossText(const std::optional<double>& loss) { return loss ? FormatLoss(*loss) : "-"; }

std::string PadLeft(const std::string& text, size_t width) {
  const size_t have = DisplayWidth(text);
  return have < width ? std::string(width - have, ' ') + text : text;
}

// The first column to the left, numbers to the right. Nothing without rows.
std::vector<std::string> Table(const Cells& headings, const std::vector<Cells>& rows,
                               size_t left_columns) {
  if (rows.empty()) return {};
  std::vector<size_t> widths;
  for (const std::string& heading : headings) widths.push_back(DisplayWidth(heading));
  for (const Cells& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  const auto line_of = [&](const Cells& row) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += "  ";
      line += i < left_columns ? PadRight(row[i], widths[i]) : PadLeft(row[i], widths[i]);
    }
    return line;
  };
  std::vector<std::string> lines = {"", line_of(headings)};
  std::transform(rows.begin(), rows.end(), std::back_inserter(lines), line_of);
  return lines;
}

std::string Percent(int64_t part, int64_t whole) {
  if (whole <= 0) return "";
  return " (" + FormatNumber(100 * static_cast<double>(part) / static_cast<double>(whole), 2) +
         " %)";
}

std::string CountsText(const std::map<JobState, int64_t>& counts) {
  std::string text;
  for (const auto& [state, count] : counts) {
    if (count == 0) continue;
    std::string word = NameOf(state);
    for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + word;
  }
  return text.empty() ? "none" : text;
}

std::string QueuesText(const Statistics& now) {
  std::string text;
  for (const QueueStatistics& queue : now.queues) {
    text += (text.empty() ? "" : "   ") + queue.queue + " " + FormatCount(queue.waiting) + "/" +
            FormatCount(queue.capacity);
  }
  return text;
}

double CpuShare(const TopFrame& frame) {
  const Statistics& now = frame.now;
  const bool later = IsLater(frame);
  const std::chrono::duration<double> passed =
      now.time - (later ? frame.before->time : now.start_time);
  const double spent = now.cpu_seconds - (later ? frame.before->cpu_seconds : 0);
  return passed.count() > 0 ? 100 * spent / passed.count() : 0;
}

std::vector<std::string> Summary(const TopFrame& frame) {
  const Statistics& now = frame.now;
  Rates all;
  int64_t in_flight = 0;
  for (const MethodStatistics& method : now.methods) {
    const Rates rates = RatesOf(frame, method);
    all.calls += rates.calls;
    all.errors += rates.errors;
    all.rows += rates.rows;
    in_flight += method.in_flight;
  }
  const std::chrono::duration<double> up = now.time - now.start_time;
  return {
      "sluiced " + now.server_version + " at " + frame.server + "   up " +
          FormatDuration(up.count()) + "   " + FormatTime(now.time) + " UTC",
      "calls   " + RateText(all.calls) + "/s   errors " + RateText(all.errors) + "/s   rows " +
          RateText(all.rows) + "/s   in flight " + FormatCount(in_flight) + ", " +
          FormatBytes(static_cast<double>(now.in_flight_bytes)) +
          Percent(now.in_flight_bytes, now.max_in_flight_bytes),
      "queues  " + QueuesText(now),
      "memory  " + FormatBytes(static_cast<double>(now.resident_bytes)) + "   models " +
          FormatCount(now.loaded_models) + " loaded, " +
          FormatBytes(static_cast<double>(now.loaded_model_bytes)) +
          Percent(now.loaded_model_bytes, now.max_loaded_model_bytes) + "   jobs " +
          FormatBytes(static_cast<double>(now.job_bytes)) +
          Percent(now.job_bytes, now.max_job_bytes) + "   files " + FormatCount(now.open_files) +
          "   CPU " + FormatNumber(CpuShare(frame), 3) + " %",
      "jobs    " + CountsText(now.jobs) + "; ended since the start: " + CountsText(now.ended_jobs),
  };
}

std::vector<std::string> Jobs(const Statistics& now) {
  std::vector<Cells> rows;
  for (const RunningJob& job : now.running_jobs) {
    rows.push_back({job.id, job.model, std::to_string(job.epoch) + "/" + std::to_string(job.epochs),
                    LossText(job.train_loss), LossText(job.validation_loss),
                    LossText(job.best_loss), FormatRate(job.rows_per_second),
                    job.seconds_left > 0 ? FormatDuration(job.seconds_left) : "-"});
  }
  return Table({"JOB", "MODEL", "EPOCH", "LOSS", "VALIDATION", "BEST", "ROWS/S", "LEFT"}, rows, 2);
}

std::vector<std::string> Methods(const TopFrame& frame) {
  std::vector<MethodStatistics> methods = frame.now.methods;
  // Their order stays: lines that jump cannot be read.
  std::stable_sort(methods.begin(), methods.end(),
                   [](const auto& a, const auto& b) { return a.rows > 0 && b.rows == 0; });
  std::vector<Cells> rows;
  for (const MethodStatistics& method : methods) {
    const Rates rates = RatesOf(frame, method);
    rows.push_back(
        {method.method, RateText(rates.calls), RateText(rates.errors), RateText(rates.rows),
         TimeText(method.p50_seconds), TimeText(method.p90_seconds), TimeText(method.p99_seconds),
         FormatCount(method.in_flight), FormatCount(method.calls), FormatCount(method.errors)});
  }
  return Table({"METHOD", "CALLS/S", "ERRORS/S", "ROWS/S", "P50", "P90", "P99", "IN FLIGHT",
                "CALLS", "ERRORS"},
               rows, 1);
}

std::vector<std::string> Models(const Statistics& now) {
  std::vector<Cells> rows;
  for (const LoadedModel& model : now.models) {
    rows.push_back({model.version, FormatBytes(static_cast<double>(model.bytes))});
  }
  return Table({"LOADED, LATEST USED FIRST", "MEMORY"}, rows, 1);
}

bool IsHeading(const std::string& line) {
  return line.rfind("METHOD", 0) == 0 || line.rfind("JOB ", 0) == 0 ||
         line.rfind("LOADED, ", 0) == 0;
}

}  // namespace

std::string FitLine(const std::string& line, int columns) {
  std::string cut;
  int used = 0;
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    const bool begins = (byte & 0xc0) != 0x80;
    if (begins && used++ == columns) break;
    cut += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  return cut;
}

std::vector<std::string> TopLines(const TopFrame& frame, const Terminal& terminal) {
  std::vector<std::string> lines = Summary(frame);
  for (const auto& part : {Jobs(frame.now), Methods(frame), Models(frame.now)}) {
    lines.insert(lines.end(), part.begin(), part.end());
  }
  for (std::string& line : lines) {
    line = FitLine(line, std::max(terminal.columns, 1));
    if (terminal.color && IsHeading(line)) line = "\x1b[1m" + line + "\x1b[0m";
  }
  return lines;
}

}  // namespace sluice::cli
