#include "server/store/sqlite_backup.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/store/backup_format.h"
#include "server/store/records.h"
#include "server/store/sqlite_connection.h"

namespace sluiced::store {
namespace {

constexpr int kPagesPerStep = 512;  // Of 4 KiB.
constexpr int kBusyTimeoutMs = 10'000;
constexpr size_t kPartBytes = size_t{1} << 20;
constexpr int64_t kRoomToLeave = int64_t{16} << 20;  // For those who write meanwhile.
constexpr absl::Duration kDiskFullRetry = absl::Seconds(30);

// `system_error`: the errno behind it, or 0.
absl::Status StatusOf(const SQLite::Exception& exception, int system_error) {
  const int extended = exception.getExtendedErrorCode();
  return StatusOfSqlite(extended > 0 ? extended : exception.getErrorCode(), system_error,
                        exception.what());
}

absl::Status CheckRoom(const std::string& data_dir, int64_t bytes) {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(data_dir, error);
  const auto available = static_cast<int64_t>(space.available);
  if (error || available >= bytes + kRoomToLeave) return absl::OkStatus();
  return Exhausted(absl::StrCat("a backup needs ", (bytes + kRoomToLeave) >> 20,
                                " MiB of the data directory's disk for a while, which has ",
                                available >> 20, " MiB left"),
                   kDiskFullRetry);
}

// A read transaction on the source keeps its pages as they are from the first step on,
// in whatever number of steps, and keeps no writer waiting (WAL).
class PageCopy {
 public:
  PageCopy(const std::string& from, const std::string& to)
      : source_(from, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, kBusyTimeoutMs),
        target_(to, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX) {
    // What a crash leaves of the copy is of no use to anybody.
    target_.execAndGet("PRAGMA journal_mode=OFF");
    target_.exec("PRAGMA synchronous=OFF");
    source_.exec("BEGIN");
    page_bytes_ = source_.execAndGet("PRAGMA page_size").getInt64();
    pages_ = source_.execAndGet("PRAGMA page_count").getInt64();
    // Begins the reading, which BEGIN alone does not.
    source_.execAndGet("SELECT count(*) FROM sqlite_schema");
    backup_.emplace(target_, source_);
  }

  // True when it is whole.
  bool Step() {
    if (backup_->executeStep(kPagesPerStep) != SQLITE_DONE) return false;
    backup_.reset();
    return true;
  }
  int SystemError() const { return sqlite3_system_errno(target_.getHandle()); }
  int64_t total() const { return pages_ * page_bytes_; }
  int64_t done() const {
    if (!backup_) return total();
    return std::max<int64_t>(0, total() - backup_->getRemainingPageCount() * page_bytes_);
  }

 private:
  SQLite::Database source_, target_;
  int64_t page_bytes_ = 0;
  int64_t pages_ = 0;
  std::optional<SQLite::Backup> backup_;
};

// What tells a backup from the file that a server works on.
void MarkAsBackup(const std::string& path) {
  SQLite::Database copy(path, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX);
  copy.exec("PRAGMA synchronous=OFF");
  copy.execAndGet("PRAGMA journal_mode=DELETE");
  copy.exec(absl::StrCat("PRAGMA application_id=", kApplicationId));
  // The runs under way have not ended with the server's death.
  copy.exec(
      absl::StrCat("UPDATE jobs SET stalled_attempts = stalled_attempts - 1"
                   " WHERE stalled_attempts > 0 AND state = ",
                   static_cast<int>(JobState::kRunning)));
}

class SqliteBackup final : public Backup {
 public:
  // Throws SQLite::Exception.
  SqliteBackup(const std::string& data_dir, std::shared_ptr<void> slot)
      : data_dir_(data_dir), path_(CopyPath(data_dir)), slot_(std::move(slot)) {
    RemoveUnfinishedCopies(data_dir_);
    copy_.emplace(DatabasePath(data_dir), path_);
  }
  ~SqliteBackup() override {
    if (file_ >= 0) close(file_);
    copy_.reset();
    RemoveUnfinishedCopies(data_dir_);
  }
  SqliteBackup(const SqliteBackup&) = delete;
  SqliteBackup& operator=(const SqliteBackup&) = delete;

  int64_t total() const { return copy_->total(); }

  absl::StatusOr<std::optional<Part>> Next() override {
    if (!copy_) return NextBytes();
    try {
      if (copy_->Step()) return EndCopy();
      return Part{.bytes = {}, .done = copy_->done(), .total = copy_->total()};
    } catch (const SQLite::Exception& exception) {
      return StatusOf(exception, copy_ ? copy_->SystemError() : 0);
    }
  }

 private:
  absl::StatusOr<std::optional<Part>> EndCopy() {
    copy_.reset();
    MarkAsBackup(path_);
    file_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_ < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path_));
    unlink(path_.c_str());  // From here on it ends with the process, however that ends.
    struct stat info {};
    if (fstat(file_, &info) != 0) return absl::ErrnoToStatus(errno, "cannot look at the copy");
    total_ = info.st_size;
    return Part{.bytes = {}, .done = total_, .total = total_};
  }

  absl::StatusOr<std::optional<Part>> NextBytes() {
    if (sent_ == total_) return std::nullopt;
    Part part{.bytes = std::string(kPartBytes, '\0'), .done = 0, .total = total_};
    const ssize_t size = pread(file_, part.bytes.data(), part.bytes.size(), sent_);
    if (size <= 0) return absl::ErrnoToStatus(size < 0 ? errno : EIO, "cannot read the copy");
    part.bytes.resize(static_cast<size_t>(size));
    sent_ += size;
    part.done = sent_;
    return part;
  }

  const std::string data_dir_, path_;
  const std::shared_ptr<void> slot_;
  std::optional<PageCopy> copy_;  // Until it is whole.
  int file_ = -1;
  int64_t sent_ = 0;
  int64_t total_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Backup>> StartSqliteBackup(const std::string& data_dir,
                                                          std::shared_ptr<void> slot) {
  try {
    auto backup = std::make_unique<SqliteBackup>(data_dir, std::move(slot));
    RETURN_IF_ERROR(CheckRoom(data_dir, backup->total()));
    return backup;
  } catch (const SQLite::Exception& exception) {
    return StatusOf(exception, 0);
  }
}

void RemoveUnfinishedCopies(const std::string& data_dir) {
  for (const std::string& path : {CopyPath(data_dir), RestorePath(data_dir)}) {
    for (const char* ending : {"", "-journal", "-wal", "-shm"}) {
      unlink(absl::StrCat(path, ending).c_str());
    }
  }
}

}  // namespace sluiced::store
