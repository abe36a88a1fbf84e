// DataDirLock: one process at a time owns a data directory.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace sluiced::store {

// Holds flock(2) on the file `lock` of the directory, which names the owner's
// process. The kernel releases it with the process, however it ends.
class DataDirLock {
 public:
  // Makes `data_dir` (mode 0700) and its parents when there are none.
  // FAILED_PRECONDITION when it is owned already, by this process too.
  static absl::StatusOr<DataDirLock> Acquire(const std::string& data_dir);

  DataDirLock(DataDirLock&& other) noexcept;
  DataDirLock& operator=(DataDirLock&& other) noexcept;
  ~DataDirLock();

 private:
  explicit DataDirLock(int file) : file_(file) {}

  int file_;  // -1 once moved from.
};

}  // namespace sluiced::store
