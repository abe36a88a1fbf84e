#include "server/common/machine_memory.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

namespace sluiced {
namespace {

int64_t LimitIn(const std::filesystem::path& file) {
  int64_t limit = 0;
  // "max", where there is none, is no number.
  const bool there = static_cast<bool>(std::ifstream(file) >> limit);
  return there && limit > 0 ? limit : std::numeric_limits<int64_t>::max();
}

}  // namespace

int64_t GroupMemory(const std::string& root, const std::string& groups) {
  // Version 1 keeps memory in a hierarchy of its own.
  int64_t least = LimitIn(std::filesystem::path(root) / "memory/memory.limit_in_bytes");
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("0::/")) continue;  // Version 2's.
    std::filesystem::path group = std::filesystem::path(root) / line.substr(4);
    for (;; group = group.parent_path()) {
      least = std::min(least, LimitIn(group / "memory.max"));
      if (group == root || !group.has_relative_path()) break;
    }
  }
  return least;
}

int64_t MachineMemory() {
  std::ifstream file("/proc/self/cgroup");
  const std::string groups{std::istreambuf_iterator<char>(file), {}};
  const int64_t pages = std::max(1L, sysconf(_SC_PHYS_PAGES));
  return std::min(pages * sysconf(_SC_PAGESIZE), GroupMemory("/sys/fs/cgroup", groups));
}

}  // namespace sluiced
