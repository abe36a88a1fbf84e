// The Backup of a SQLite store, and the way back.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/backup.h"

namespace sluiced::store {

// Copies the database `data_dir` holds, as it is now, whoever writes to it meanwhile.
// The copy lies in `data_dir` until the Backup is gone; `slot` is held as long.
// RESOURCE_EXHAUSTED when the disk has no room for it.
absl::StatusOr<std::unique_ptr<Backup>> StartSqliteBackup(const std::string& data_dir,
                                                          std::shared_ptr<void> slot);

// Removes what a backup or a restore left in `data_dir` as its process died.
void RemoveUnfinishedCopies(const std::string& data_dir);

// Makes `data_dir`, and in it the database that the backup `file` holds; complete or
// absent. FAILED_PRECONDITION when there is one already, when another process owns the
// directory, or for a file of a newer release; INVALID_ARGUMENT for one that is no
// backup, or a damaged one.
absl::Status RestoreSqliteBackup(const std::string& data_dir, const std::string& file);

}  // namespace sluiced::store
