#include "server/observe/process_usage.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace sluiced::observe {
namespace {

// Of /proc/stat; constant while the machine runs.
double BootTime() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

// Ticks since the boot: field 22 of /proc/self/stat, whose second field may hold spaces
// and ends with the last ')'.
double StartTicks() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text, '\0');
  const size_t end = text.rfind(')');
  if (end == std::string::npos) return 0;
  size_t at = end + 2;  // Of field 3.
  for (int field = 3; field < 22 && at != 0; ++field) at = text.find(' ', at) + 1;
  return at == 0 ? 0 : std::strtod(text.c_str() + at, nullptr);
}

double StartTime() {
  static const double time = BootTime() + StartTicks() / static_cast<double>(sysconf(_SC_CLK_TCK));
  return time;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

int64_t CountOpenFiles() {
  std::error_code error;
  std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) return 0;
  // The listing has one open itself.
  return std::distance(begin(files), end(files)) - 1;
}

}  // namespace

ProcessUsage ReadProcessUsage() {
  ProcessUsage usage;
  std::ifstream statm("/proc/self/statm");
  statm >> usage.virtual_bytes >> usage.resident_bytes;
  usage.virtual_bytes *= sysconf(_SC_PAGESIZE);
  usage.resident_bytes *= sysconf(_SC_PAGESIZE);
  usage.open_files = CountOpenFiles();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    usage.max_files = static_cast<int64_t>(limit.rlim_cur);
  }
  rusage spent{};
  if (getrusage(RUSAGE_SELF, &spent) == 0) {
    usage.cpu_seconds = Seconds(spent.ru_utime) + Seconds(spent.ru_stime);
  }
  usage.start_time = StartTime();
  return usage;
}

}  // namespace sluiced::observe
