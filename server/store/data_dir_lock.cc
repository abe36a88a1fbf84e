#include "server/store/data_dir_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/common/status_macros.h"

namespace sluiced::store {
namespace {

absl::Status SystemError(int error, absl::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(error, absl::StrCat(what, " ", path));
}

// The new directory's own entry must be on disk before anything in it counts.
absl::Status SyncParent(const std::filesystem::path& directory) {
  const std::string parent = directory.parent_path().string();
  const int file = open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return SystemError(errno, "cannot open", parent);
  const int failed = fsync(file) == 0 ? 0 : errno;
  close(file);
  if (failed != 0 && failed != EINVAL) return SystemError(failed, "cannot sync", parent);
  return absl::OkStatus();
}

absl::Status MakeDirectory(const std::string& data_dir) {
  if (data_dir.empty()) return absl::InvalidArgumentError("the data directory's name is empty");
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(data_dir, error).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "dir/" is "dir".
  if (std::filesystem::is_directory(path, error)) return absl::OkStatus();
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) return SystemError(error.value(), "cannot make", path.parent_path().string());
  if (mkdir(path.c_str(), 0700) != 0) return SystemError(errno, "cannot make", data_dir);
  return SyncParent(path);
}

std::string OwnerOf(int file) {
  std::array<char, 32> text{};
  const ssize_t size = pread(file, text.data(), text.size(), 0);
  if (size <= 0) return "another process";
  absl::string_view pid(text.data(), static_cast<size_t>(size));
  return absl::StrCat("process ", absl::StripAsciiWhitespace(pid));
}

}  // namespace

absl::StatusOr<DataDirLock> DataDirLock::Acquire(const std::string& data_dir) {
  RETURN_IF_ERROR(MakeDirectory(data_dir));
  const std::string path = absl::StrCat(data_dir, "/lock");
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return SystemError(errno, "cannot open", path);
  DataDirLock lock(file);
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return SystemError(errno, "cannot lock", path);
    return absl::FailedPreconditionError(
        absl::StrCat("the data directory ", data_dir, " is in use by ", OwnerOf(file)));
  }
  // The name is for people; on a full disk the lock holds without it.
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(file, 0) == 0 && pwrite(file, pid.data(), pid.size(), 0) < 0) errno = 0;
  return lock;
}

DataDirLock::DataDirLock(DataDirLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

DataDirLock& DataDirLock::operator=(DataDirLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

DataDirLock::~DataDirLock() {
  if (file_ >= 0) close(file_);
}

}  // namespace sluiced::store
