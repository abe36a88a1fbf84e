// What jobs leave behind: updates, checkpoints, snapshots.
#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/store/sqlite_store_impl.h"

namespace sluiced::store {

void InsertUpdates(Connection& c, int64_t job_key, const std::vector<UpdateRecord>& updates) {
  for (const UpdateRecord& update : updates) {
    c.Execute(
        "INSERT INTO updates (job, sequence, time, state, attempt, payload)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        job_key, update.sequence, update.time, static_cast<int>(update.state), update.attempt,
        Blob{update.payload});
  }
}

absl::Status SqliteStore::AppendUpdates(absl::string_view job,
                                        const std::vector<UpdateRecord>& updates) {
  return WriteDeferred([&](Connection& c) -> absl::Status {
    ASSIGN_OR_RETURN(const int64_t key, FindJobKey(c, job));
    InsertUpdates(c, key, updates);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<UpdateRecord>> SqliteStore::ListUpdates(absl::string_view job,
                                                                   int64_t after, int64_t limit) {
  return Read([&](Connection& c) -> absl::StatusOr<std::vector<UpdateRecord>> {
    ASSIGN_OR_RETURN(const int64_t key, FindJobKey(c, job));
    std::vector<UpdateRecord> updates;
    Rows rows = c.Query(
        "SELECT sequence, time, state, attempt, payload FROM updates"
        " WHERE job = ? AND sequence > ? ORDER BY sequence LIMIT max(?, 0)",
        key, after, limit);
    while (rows.Next()) {
      updates.push_back({.sequence = rows.Int(0),
                         .time = rows.Time(1),
                         .state = static_cast<JobState>(rows.Int(2)),
                         .attempt = static_cast<int>(rows.Int(3)),
                         .payload = rows.Text(4)});
    }
    return updates;
  });
}

absl::Status SqliteStore::SaveCheckpoint(absl::string_view job, absl::string_view checkpoint) {
  return Write([&](Connection& c) -> absl::Status {
    ASSIGN_OR_RETURN(const int64_t key, FindJobKey(c, job));
    c.Execute("INSERT OR REPLACE INTO checkpoints (job, data) VALUES (?, ?)", key,
              Blob{checkpoint});
    c.Execute("UPDATE jobs SET stalled_attempts = 0 WHERE key = ? AND stalled_attempts > 0", key);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::string> SqliteStore::GetCheckpoint(absl::string_view job) {
  return Read([&](Connection& c) -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(const int64_t key, FindJobKey(c, job));
    Rows rows = c.Query("SELECT data FROM checkpoints WHERE job = ?", key);
    return rows.Next() ? rows.Text(0) : std::string();
  });
}

absl::Status SqliteStore::SaveSnapshot(absl::string_view job, int64_t epoch,
                                       absl::string_view snapshot) {
  return Write([&](Connection& c) -> absl::Status {
    ASSIGN_OR_RETURN(const int64_t key, FindJobKey(c, job));
    c.Execute("INSERT OR REPLACE INTO snapshots (job, epoch, data) VALUES (?, ?, ?)", key, epoch,
              Blob{snapshot});
    return absl::OkStatus();
  });
}

absl::StatusOr<std::string> SqliteStore::GetSnapshot(absl::string_view job, int64_t epoch) {
  return Read([&](Connection& c) -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(const int64_t key, FindJobKey(c, job));
    Rows rows = c.Query("SELECT data FROM snapshots WHERE job = ? AND epoch = ?", key, epoch);
    if (!rows.Next()) {
      return NotFound("snapshot", absl::StrCat("trainJobs/", job, "/snapshots/", epoch));
    }
    return rows.Text(0);
  });
}

absl::StatusOr<std::vector<int64_t>> SqliteStore::ListSnapshots(absl::string_view job) {
  return Read([&](Connection& c) -> absl::StatusOr<std::vector<int64_t>> {
    ASSIGN_OR_RETURN(const int64_t key, FindJobKey(c, job));
    std::vector<int64_t> epochs;
    Rows rows = c.Query("SELECT epoch FROM snapshots WHERE job = ? ORDER BY epoch", key);
    while (rows.Next()) epochs.push_back(rows.Int(0));
    return epochs;
  });
}

}  // namespace sluiced::store
