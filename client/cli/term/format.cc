#include "client/cli/term/format.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace sluice::cli {
namespace {

template <typename... Args>
std::string Print(const char* format, Args... args) {
  char text[96];
  std::snprintf(text, sizeof(text), format, args...);
  return text;
}

std::string TimeText(Time time, const char* format) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return "-";
  char text[40];
  std::strftime(text, sizeof(text), format, &parts);
  return text;
}

}  // namespace

std::string FormatNumber(double value, int digits) { return Print("%.*g", digits, value); }

std::string FormatLoss(double nats) {
  return std::abs(nats) < 1e5 ? Print("%.4f", nats) : Print("%.3g", nats);
}

std::string FormatCount(int64_t count) {
  std::string text = std::to_string(count);
  const int64_t first = count < 0 ? 1 : 0;
  for (int64_t at = static_cast<int64_t>(text.size()) - 3; at > first; at -= 3) {
    text.insert(static_cast<size_t>(at), ",");
  }
  return text;
}

std::string FormatRate(double per_second) {
  if (per_second >= 1e6) return Print("%.2f M", per_second / 1e6);
  if (per_second >= 1e4) return Print("%.0f k", per_second / 1e3);
  return Print("%.0f", per_second);
}

std::string FormatBytes(double bytes) {
  if (bytes >= 1e18) return Print("%.3g EB", bytes / 1e18);
  if (bytes >= 1e15) return Print("%.3g PB", bytes / 1e15);
  if (bytes >= 1e12) return Print("%.3g TB", bytes / 1e12);
  if (bytes >= 1e9) return Print("%.3g GB", bytes / 1e9);
  if (bytes >= 1e6) return Print("%.3g MB", bytes / 1e6);
  return Print("%.0f kB", bytes / 1e3);
}

std::string FormatDuration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e9) return "?";
  const auto whole = static_cast<int64_t>(std::ceil(seconds));
  if (whole < 60) return Print("%d s", static_cast<int>(whole));
  if (whole < 3600) {
    return Print("%d min %02d s", static_cast<int>(whole / 60), static_cast<int>(whole % 60));
  }
  return Print("%lld h %02d min", static_cast<long long>(whole / 3600),
               static_cast<int>(whole % 3600 / 60));
}

std::string FormatTime(Time time) {
  return time == Time() ? "-" : TimeText(time, "%Y-%m-%d %H:%M:%S");
}

std::string IsoTime(Time time) { return TimeText(time, "%Y-%m-%dT%H:%M:%SZ"); }

size_t DisplayWidth(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string PadRight(std::string text, size_t width) {
  const size_t have = DisplayWidth(text);
  if (have < width) text.append(width - have, ' ');
  return text;
}

}  // namespace sluice::cli
