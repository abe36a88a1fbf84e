// The tables, and their versions over time.
#pragma once

#include "absl/status/status.h"
#include "server/store/sqlite_connection.h"

namespace sluiced::store {

// Makes the tables in an empty file, and brings those of an older release to this
// one's format, in one transaction. FAILED_PRECONDITION for a file that a newer
// release, or another program, wrote.
absl::Status PrepareSchema(Connection* connection);

}  // namespace sluiced::store
