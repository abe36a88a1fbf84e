#include <optional>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/store/sqlite_store_impl.h"

namespace sluiced::store {
namespace {

std::string NameOf(absl::string_view job) { return absl::StrCat("trainJobs/", job); }

std::optional<absl::Time> OptionalTime(const Rows& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return row.Time(column);
}

// A row of the view job_records.
JobRecord ReadJob(const Rows& row) {
  JobRecord job;
  job.id = row.Text(0);
  job.model = row.Text(1);
  job.dataset = row.Text(2);
  job.payload = row.Text(3);
  job.request_id = row.Text(4);
  job.state = static_cast<JobState>(row.Int(5));
  job.attempt = static_cast<int>(row.Int(6));
  job.create_time = row.Time(7);
  job.start_time = OptionalTime(row, 8);
  job.end_time = OptionalTime(row, 9);
  job.error = row.Text(10);
  job.version = row.Int(11);
  job.order = row.Int(12);
  job.last_sequence = row.Int(13);
  job.stalled_attempts = static_cast<int>(row.Int(14));
  return job;
}

std::vector<JobRecord> ReadJobs(Rows rows) {
  std::vector<JobRecord> jobs;
  while (rows.Next()) jobs.push_back(ReadJob(rows));
  return jobs;
}

void InsertJob(Connection& c, const JobRecord& job) {
  const std::optional<std::string> request_id =
      job.request_id.empty() ? std::nullopt : std::optional(job.request_id);
  c.Execute(
      "INSERT INTO jobs (id, model, dataset, request_id, state, attempt, create_time, start_time,"
      " end_time, error, version, queue_order, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
      " (SELECT coalesce(max(queue_order), 0) + 1 FROM jobs), ?)",
      job.id, job.model, job.dataset, request_id, static_cast<int>(job.state), job.attempt,
      job.create_time, job.start_time, job.end_time, job.error, job.version, Blob{job.payload});
}

}  // namespace

absl::StatusOr<int64_t> FindJobKey(Connection& c, absl::string_view id) {
  Rows rows = c.Query("SELECT key FROM jobs WHERE id = ?", id);
  if (!rows.Next()) return NotFound("job", NameOf(id));
  return rows.Int(0);
}

absl::Status UpdateJob(Connection& c, int64_t key, const JobRecord& job) {
  const int64_t changed = c.Execute(
      "UPDATE jobs SET state = ?, attempt = ?, stalled_attempts = ?, start_time = ?, end_time = ?,"
      " error = ?, queue_order = ? WHERE key = ?",
      static_cast<int>(job.state), job.attempt, job.stalled_attempts, job.start_time, job.end_time,
      job.error, job.order, key);
  return changed == 1 ? absl::OkStatus() : NotFound("job", NameOf(job.id));
}

absl::StatusOr<JobRecord> SqliteStore::CreateJob(const JobRecord& job) {
  return Write([&](Connection& c) -> absl::StatusOr<JobRecord> {
    if (!job.request_id.empty()) {
      Rows made = c.Query("SELECT * FROM job_records WHERE request_id = ?", job.request_id);
      if (made.Next()) return ReadJob(made);
    }
    if (FindJobKey(c, job.id).ok()) return AlreadyExists("job", NameOf(job.id));
    RETURN_IF_ERROR(FindModel(c, job.model));
    if (!job.dataset.empty()) RETURN_IF_ERROR(FindDataset(c, job.dataset));
    InsertJob(c, job);
    Rows rows = c.Query("SELECT * FROM job_records WHERE id = ?", job.id);
    if (!rows.Next()) return absl::InternalError("a new job is not in the store");
    return ReadJob(rows);
  });
}

absl::StatusOr<JobRecord> SqliteStore::GetJob(absl::string_view id) {
  return Read([&](Connection& c) -> absl::StatusOr<JobRecord> {
    Rows rows = c.Query("SELECT * FROM job_records WHERE id = ?", id);
    if (!rows.Next()) return NotFound("job", NameOf(id));
    return ReadJob(rows);
  });
}

absl::StatusOr<std::vector<JobRecord>> SqliteStore::ListJobs(const Page& page,
                                                             absl::string_view model) {
  return Read([&](Connection& c) -> absl::StatusOr<std::vector<JobRecord>> {
    if (model.empty()) {
      return ReadJobs(c.Query("SELECT * FROM job_records WHERE id > ? ORDER BY id LIMIT max(?, 0)",
                              page.after, page.limit));
    }
    return ReadJobs(
        c.Query("SELECT * FROM job_records WHERE model = ? AND id > ? ORDER BY id LIMIT max(?, 0)",
                model, page.after, page.limit));
  });
}

absl::StatusOr<std::vector<JobRecord>> SqliteStore::ListUnfinishedJobs() {
  return Read([&](Connection& c) -> absl::StatusOr<std::vector<JobRecord>> {
    return ReadJobs(c.Query("SELECT * FROM job_records WHERE state < ? ORDER BY queue_order",
                            static_cast<int>(JobState::kSucceeded)));
  });
}

absl::Status SqliteStore::SaveJob(const JobRecord& job, const std::vector<UpdateRecord>& updates) {
  return Write([&](Connection& c) -> absl::Status {
    ASSIGN_OR_RETURN(const int64_t key, FindJobKey(c, job.id));
    InsertUpdates(c, key, updates);
    return UpdateJob(c, key, job);
  });
}

absl::StatusOr<int64_t> SqliteStore::FinishJob(const JobRecord& job,
                                               const std::vector<UpdateRecord>& updates,
                                               const Publication& publication) {
  return Write([&](Connection& c) -> absl::StatusOr<int64_t> {
    ASSIGN_OR_RETURN(const int64_t key, FindJobKey(c, job.id));
    VersionRecord version = publication.version;
    RETURN_IF_ERROR(FindModel(c, version.model));
    {
      Rows latest = c.Query("SELECT max(number) FROM versions WHERE model = ?", version.model);
      version.number = latest.Next() ? latest.Int(0) + 1 : 0;
    }
    InsertVersion(c, version, publication.parameters);
    InsertUpdates(c, key, updates);
    RETURN_IF_ERROR(UpdateJob(c, key, job));
    c.Execute("UPDATE jobs SET version = ? WHERE key = ?", version.number, key);
    if (!publication.last_checkpoint.empty()) {
      c.Execute("INSERT OR REPLACE INTO checkpoints (job, data) VALUES (?, ?)", key,
                Blob{publication.last_checkpoint});
    }
    return version.number;
  });
}

absl::Status SqliteStore::DeleteJob(absl::string_view id) {
  absl::Status deleted = Free([&](Connection& c) -> absl::Status {
    ASSIGN_OR_RETURN(const int64_t key, FindJobKey(c, id));
    if (c.Execute("DELETE FROM jobs WHERE key = ? AND state >= ?", key,
                  static_cast<int>(JobState::kSucceeded)) == 0) {
      return absl::FailedPreconditionError(absl::StrCat(NameOf(id), " has not ended"));
    }
    return absl::OkStatus();
  });
  if (deleted.ok()) ReleaseSpace();
  return deleted;
}

}  // namespace sluiced::store
