#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/common/status_macros.h"
#include "server/store/backup_format.h"
#include "server/store/data_dir_lock.h"
#include "server/store/sqlite_backup.h"
#include "server/store/sqlite_connection.h"

namespace sluiced::store {
namespace {

constexpr size_t kCopyBytes = size_t{1} << 24;

// Closes it in time.
class File {
 public:
  File(const std::string& path, int flags) : handle_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (handle_ >= 0) close(handle_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int handle() const { return handle_; }

 private:
  const int handle_;
};

absl::Status SystemError(absl::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", path));
}

absl::Status CheckFree(const std::string& data_dir) {
  const std::string path = DatabasePath(data_dir);
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the data directory ", data_dir,
                   " has a database already; restore into a directory without one"));
}

// On the disk when it returns.
absl::Status CopyFile(const std::string& from, const std::string& to) {
  const File source(from, O_RDONLY);
  if (source.handle() < 0) return SystemError("cannot open", from);
  const File target(to, O_WRONLY | O_CREAT | O_TRUNC);
  if (target.handle() < 0) return SystemError("cannot make", to);
  for (ssize_t copied = 1; copied > 0;) {
    copied = sendfile(target.handle(), source.handle(), nullptr, kCopyBytes);
    if (copied < 0) return SystemError("cannot write", to);
  }
  if (fsync(target.handle()) != 0) return SystemError("cannot sync", to);
  return absl::OkStatus();
}

absl::Status CheckIntegrity(const std::string& path) {
  try {
    SQLite::Database copy(path, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX);
    const std::string found = copy.execAndGet("PRAGMA integrity_check(1)").getString();
    if (found == "ok") return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("is damaged: ", found));
  } catch (const SQLite::Exception& exception) {
    return absl::InvalidArgumentError(absl::StrCat("is damaged: ", exception.what()));
  }
}

absl::Status TakeName(const std::string& from, const std::string& to,
                      const std::string& directory) {
  if (std::rename(from.c_str(), to.c_str()) != 0) return SystemError("cannot make", to);
  const File entry(directory, O_RDONLY | O_DIRECTORY);
  if (entry.handle() < 0 || (fsync(entry.handle()) != 0 && errno != EINVAL)) {
    return SystemError("cannot sync", directory);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RestoreSqliteBackup(const std::string& data_dir, const std::string& file) {
  // Before the directory is made: what is refused leaves nothing behind.
  RETURN_IF_ERROR(CheckFree(data_dir));
  RETURN_IF_ERROR(CheckBackupHeader(file));
  ASSIGN_OR_RETURN(const DataDirLock lock, DataDirLock::Acquire(data_dir));
  RETURN_IF_ERROR(CheckFree(data_dir));
  const std::string unfinished = RestorePath(data_dir);
  absl::Status status = CopyFile(file, unfinished);
  if (status.ok()) status = CheckIntegrity(unfinished);
  if (status.ok()) status = TakeName(unfinished, DatabasePath(data_dir), data_dir);
  if (!status.ok()) RemoveUnfinishedCopies(data_dir);
  return status;
}

}  // namespace sluiced::store
