#include "server/store/sqlite_connection.h"

#include <sqlite3.h>

#include <cerrno>
#include <limits>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"

namespace sluiced::store {
namespace {

// Only a person's tool (the sqlite3 shell) ever holds a lock against us.
constexpr int kBusyTimeoutMs = 10'000;
constexpr absl::Duration kDiskFullRetry = absl::Seconds(30);
// As file systems become when their disk fails, until somebody mends it.
constexpr char kReadOnly[] = "the data directory has become read-only";
constexpr absl::Duration kReadOnlyRetry = absl::Seconds(30);

int OpenFlags(Access access) {
  // Readers of a WAL need write access to its index; query_only guards the rest.
  const int mode = SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX;
  return access == Access::kRead ? mode : mode | SQLite::OPEN_CREATE;
}

}  // namespace

Rows::~Rows() {
  statement_->tryReset();
  // Bound blobs are gone after this; clearing them cannot fail.
  statement_->clearBindings();
}

double Rows::Real(int column) const {
  if (IsNull(column)) return std::numeric_limits<double>::quiet_NaN();
  return statement_->getColumn(column).getDouble();
}

Connection::Connection(const std::string& path, Access access)
    : access_(access), database_(path, OpenFlags(access), kBusyTimeoutMs) {
  ExecuteOnce("PRAGMA foreign_keys=ON");
  if (access == Access::kRead) {
    ExecuteOnce("PRAGMA query_only=ON");
    return;
  }
  // Takes effect on an empty file only, before the WAL writes its first page.
  ExecuteOnce("PRAGMA auto_vacuum=INCREMENTAL");
  database_.execAndGet("PRAGMA journal_mode=WAL");
  // NORMAL leaves a commit in the WAL file unsynced; the next FULL commit, by
  // whichever connection, syncs that whole file.
  ExecuteOnce(access == Access::kWrite ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  // Debian's default overwrites what is deleted: gigabytes, for datasets.
  database_.execAndGet("PRAGMA secure_delete=OFF");
  database_.execAndGet("PRAGMA journal_size_limit=67108864");
}

SQLite::Statement& Connection::Prepared(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    found = statements_.emplace(sql, SQLite::Statement(database_, std::string(sql))).first;
  }
  return found->second;
}

void Connection::Bind(SQLite::Statement& statement, int index, int64_t value) {
  statement.bind(index, value);
}
void Connection::Bind(SQLite::Statement& statement, int index, int value) {
  statement.bind(index, value);
}
void Connection::Bind(SQLite::Statement& statement, int index, double value) {
  statement.bind(index, value);
}
void Connection::Bind(SQLite::Statement& statement, int index, absl::string_view value) {
  statement.bind(index, std::string(value));
}
void Connection::Bind(SQLite::Statement& statement, int index, const std::string& value) {
  statement.bind(index, value);
}
void Connection::Bind(SQLite::Statement& statement, int index, absl::Time value) {
  statement.bind(index, static_cast<int64_t>(absl::ToUnixNanos(value)));
}
void Connection::Bind(SQLite::Statement& statement, int index, Blob value) {
  if (value.bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    throw SQLite::Exception("string or blob too big", SQLITE_TOOBIG);
  }
  // A null pointer would bind NULL instead of no bytes.
  const char* data = value.bytes.empty() ? "" : value.bytes.data();
  statement.bindNoCopy(index, static_cast<const void*>(data), static_cast<int>(value.bytes.size()));
}

absl::Status Connection::TryExecuteOnce(const char* sql) noexcept {
  const int code = database_.tryExec(sql);
  if (code == SQLITE_OK) return absl::OkStatus();
  return StatusOfSqlite(database_.getExtendedErrorCode(),
                        sqlite3_system_errno(database_.getHandle()), database_.getErrorMsg());
}

absl::Status Connection::StatusOf(const SQLite::Exception& exception) const {
  // SQLite does not keep the system's error of a commit.
  const int last = errno;
  const int kept = sqlite3_system_errno(database_.getHandle());
  const int extended = exception.getExtendedErrorCode();
  const int code = extended > 0 ? extended : exception.getErrorCode();
  return StatusOfSqlite(code, kept != 0 ? kept : last, exception.what());
}

void Connection::Rollback() noexcept {
  // SQLite rolls back by itself on some errors, a full disk among them.
  if (sqlite3_get_autocommit(database_.getHandle()) == 0) database_.tryExec("ROLLBACK");
}

absl::Status StatusOfSqlite(int extended_code, int system_error, absl::string_view message) {
  const bool no_space = system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG ||
                        extended_code == SQLITE_IOERR_SHMSIZE;  // The WAL's index could not grow.
  switch (extended_code & 0xff) {
    case SQLITE_FULL:
      return Exhausted("the disk is full", kDiskFullRetry);
    case SQLITE_READONLY:
      return Unavailable(kReadOnly, kReadOnlyRetry);
    case SQLITE_IOERR:
      if (system_error == EROFS) return Unavailable(kReadOnly, kReadOnlyRetry);
      if (no_space) return Exhausted("the disk is full", kDiskFullRetry);
      return absl::InternalError(
          absl::StrCat("store: ", message, " (SQLite code ", extended_code, ")"));
    case SQLITE_TOOBIG:
      return absl::ResourceExhaustedError("too large for the store: a value takes at most 1 GB");
    case SQLITE_NOMEM:
      return absl::ResourceExhaustedError("the store is out of memory");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Unavailable("the store is locked by another program", absl::Seconds(1));
    case SQLITE_CONSTRAINT:
      if (extended_code == SQLITE_CONSTRAINT_PRIMARYKEY ||
          extended_code == SQLITE_CONSTRAINT_UNIQUE) {
        return absl::AlreadyExistsError(absl::StrCat("exists already: ", message));
      }
      return absl::InternalError(absl::StrCat("store: ", message));
    default:
      return absl::InternalError(
          absl::StrCat("store: ", message, " (SQLite code ", extended_code, ")"));
  }
}

}  // namespace sluiced::store
