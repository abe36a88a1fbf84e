// The embedded default backend: one SQLite file (WAL, synchronous=FULL) under a
// data directory that one process at a time owns.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/store/store.h"

namespace sluiced::store {

// Makes `data_dir` (mode 0700) when there is none. FAILED_PRECONDITION when another process owns
// it, naming the process; the lock goes with the process, however it ends.
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& data_dir);

}  // namespace sluiced::store
