// What a backup file is: a SQLite database in one file, marked as ours.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace sluiced::store {

inline constexpr int64_t kApplicationId = 0x536c7563;  // "Sluc"

// Of the file of that name: magic, mark, completeness and format, by its first bytes and its
// length. INVALID_ARGUMENT for one that is no backup or not all of it,
// FAILED_PRECONDITION for one of a newer release.
absl::Status CheckBackupHeader(const std::string& file);

// Where a data directory has its database, and for a while a copy of it, or one that
// is being restored.
std::string DatabasePath(const std::string& data_dir);
std::string CopyPath(const std::string& data_dir);
std::string RestorePath(const std::string& data_dir);

}  // namespace sluiced::store
