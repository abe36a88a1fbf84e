#include "server/store/sqlite_store.h"

#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/store/backup_format.h"
#include "server/store/sqlite_backup.h"
#include "server/store/sqlite_schema.h"
#include "server/store/sqlite_store_impl.h"

namespace sluiced::store {
namespace {

constexpr size_t kIdleReaders = 8;
constexpr absl::Duration kBackupRetry = absl::Seconds(10);

absl::StatusOr<std::unique_ptr<Connection>> Connect(const std::string& path, Access access) {
  try {
    return std::make_unique<Connection>(path, access);
  } catch (const SQLite::Exception& exception) {
    absl::Status status = StatusOfSqlite(exception.getErrorCode(), 0, exception.what());
    return absl::Status(status.code(), absl::StrCat("cannot open ", path, ": ", status.message()));
  }
}

}  // namespace

SqliteStore::SqliteStore(DataDirLock lock, const std::string& data_dir)
    : lock_(std::move(lock)),
      data_dir_(data_dir),
      path_(DatabasePath(data_dir)),
      reserve_(absl::StrCat(data_dir, "/reserve")) {}

absl::Status SqliteStore::Start() {
  RemoveUnfinishedCopies(data_dir_);
  {
    std::lock_guard<std::mutex> hold(write_mu_);
    absl::Status connected = ConnectLocked();
    if (IsFull(connected) && reserve_.Release()) connected = ConnectLocked();
    RETURN_IF_ERROR(connected);
  }
  // What a full disk keeps from being removed now is removed later.
  const absl::Status removed = RemoveOrphans();
  if (!removed.ok() && !IsFull(removed)) return removed;
  std::lock_guard<std::mutex> hold(write_mu_);
  reserve_.Fill();
  return absl::OkStatus();
}

absl::Status SqliteStore::ConnectLocked() {
  ASSIGN_OR_RETURN(writer_, Connect(path_, Access::kWrite));
  RETURN_IF_ERROR(PrepareSchema(writer_.get()));
  ASSIGN_OR_RETURN(deferred_writer_, Connect(path_, Access::kWriteDeferred));
  return absl::OkStatus();
}

absl::Status SqliteStore::Free(const std::function<absl::Status(Connection&)>& body) {
  std::lock_guard<std::mutex> hold(write_mu_);
  return FreeLocked(*writer_, body);
}

absl::Status SqliteStore::FreeLocked(Connection& writer,
                                     const std::function<absl::Status(Connection&)>& body) {
  absl::Status status = WriteLocked(writer, body);
  if (!IsFull(status) || !reserve_.Release()) return status;
  ReuseLogLocked();
  return WriteLocked(writer, body);
}

absl::StatusOr<std::unique_ptr<Connection>> SqliteStore::TakeReader() {
  {
    std::lock_guard<std::mutex> hold(readers_mu_);
    if (!idle_readers_.empty()) {
      std::unique_ptr<Connection> reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return reader;
    }
  }
  return Connect(path_, Access::kRead);
}

void SqliteStore::ReturnReader(std::unique_ptr<Connection> reader) {
  std::lock_guard<std::mutex> hold(readers_mu_);
  if (idle_readers_.size() < kIdleReaders) idle_readers_.push_back(std::move(reader));
}

void SqliteStore::ReuseLogLocked() {
  writer_->TryExecuteOnce("PRAGMA wal_checkpoint(PASSIVE)").IgnoreError();
}

absl::StatusOr<int64_t> SqliteStore::ReleaseStepLocked() {
  // Small steps: each needs room in the WAL for the pages that it moves.
  RETURN_IF_ERROR(deferred_writer_->TryExecuteOnce("PRAGMA incremental_vacuum(512)"));
  return deferred_writer_->InTransaction([](Connection& c) -> absl::StatusOr<int64_t> {
    Rows freelist = c.Query("PRAGMA freelist_count");
    return freelist.Next() ? freelist.Int(0) : 0;
  });
}

void SqliteStore::ReleaseSpace() {
  int64_t left = std::numeric_limits<int64_t>::max();
  for (bool more = true; more;) {
    std::lock_guard<std::mutex> hold(write_mu_);
    absl::StatusOr<int64_t> step = ReleaseStepLocked();
    if (IsFull(step) && reserve_.Release()) {
      ReuseLogLocked();
      step = ReleaseStepLocked();
    }
    more = step.ok() && *step > 0 && *step < left;
    if (more) left = *step;
  }
  std::lock_guard<std::mutex> hold(write_mu_);
  ReuseLogLocked();
  reserve_.Fill();
}

absl::StatusOr<std::unique_ptr<Backup>> SqliteStore::StartBackup() {
  const auto slot = std::make_shared<char>();
  {
    std::lock_guard<std::mutex> hold(write_mu_);
    if (!backup_slot_.expired()) return Exhausted("another backup is being made", kBackupRetry);
    backup_slot_ = slot;
  }
  return StartSqliteBackup(data_dir_, slot);
}

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& data_dir) {
  ASSIGN_OR_RETURN(DataDirLock lock, DataDirLock::Acquire(data_dir));
  auto store = std::make_unique<SqliteStore>(std::move(lock), data_dir);
  RETURN_IF_ERROR(store->Start());
  return store;
}

}  // namespace sluiced::store
