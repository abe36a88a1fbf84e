// The tables, and their versions over time.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "server/store/sqlite_connection.h"

namespace sluiced::store {

// Makes the tables in an empty file, and brings those of an older release to this
// one's format, in one transaction. FAILED_PRECONDITION for a file that a newer
// release, or another program, wrote.
absl::Status PrepareSchema(Connection* connection);

// FAILED_PRECONDITION for a format that this release does not know.
absl::Status CheckFormat(int64_t version);

}  // namespace sluiced::store
