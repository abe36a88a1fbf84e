#include "server/store/sqlite_store.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/status_macros.h"
#include "server/store/sqlite_schema.h"
#include "server/store/sqlite_store_impl.h"

namespace sluiced::store {
namespace {

constexpr size_t kIdleReaders = 8;

absl::StatusOr<std::unique_ptr<Connection>> Connect(const std::string& path, Access access) {
  try {
    return std::make_unique<Connection>(path, access);
  } catch (const SQLite::Exception& exception) {
    absl::Status status = StatusOfSqlite(exception.getErrorCode(), 0, exception.what());
    return absl::Status(status.code(), absl::StrCat("cannot open ", path, ": ", status.message()));
  }
}

}  // namespace

SqliteStore::SqliteStore(DataDirLock lock, std::string path)
    : lock_(std::move(lock)), path_(std::move(path)) {}

absl::Status SqliteStore::Start() {
  {
    std::lock_guard<std::mutex> hold(write_mu_);
    ASSIGN_OR_RETURN(writer_, Connect(path_, Access::kWrite));
    RETURN_IF_ERROR(PrepareSchema(writer_.get()));
    ASSIGN_OR_RETURN(deferred_writer_, Connect(path_, Access::kWriteDeferred));
  }
  // What a full disk keeps from being removed now is removed later.
  absl::Status removed = RemoveOrphans();
  return absl::IsResourceExhausted(removed) ? absl::OkStatus() : removed;
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

void SqliteStore::RecoverSpaceLocked() {
  // Whatever fits moves into the database file, and the WAL starts anew.
  writer_->TryExecuteOnce("PRAGMA wal_checkpoint(PASSIVE)").IgnoreError();
}

void SqliteStore::ReleaseSpace() {
  for (bool more = true; more;) {
    std::lock_guard<std::mutex> hold(write_mu_);
    auto freed = deferred_writer_->InTransaction([](Connection& c) -> absl::StatusOr<bool> {
      Rows freelist = c.Query("PRAGMA freelist_count");
      return freelist.Next() && freelist.Int(0) > 0;
    });
    more = freed.ok() && *freed &&
           deferred_writer_->TryExecuteOnce("PRAGMA incremental_vacuum(4096)").ok();
  }
}

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& data_dir) {
  ASSIGN_OR_RETURN(DataDirLock lock, DataDirLock::Acquire(data_dir));
  auto store = std::make_unique<SqliteStore>(std::move(lock), absl::StrCat(data_dir, "/sluice.db"));
  RETURN_IF_ERROR(store->Start());
  return store;
}

}  // namespace sluiced::store
