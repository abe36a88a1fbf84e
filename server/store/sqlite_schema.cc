#include "server/store/sqlite_schema.h"

#include <span>

#include "absl/strings/str_cat.h"
#include "server/common/status_macros.h"

namespace sluiced::store {
namespace {

constexpr int64_t kVersion = 2;

// Blobs come last in their rows: reading the columns before them does not touch
// their pages. Times are nanoseconds since 1970. Jobs name models and datasets
// without foreign keys, because finished jobs outlive them.
constexpr const char* kFormat1[] = {
    R"(CREATE TABLE models (
         id TEXT PRIMARY KEY, spec TEXT NOT NULL, description TEXT NOT NULL,
         create_time INTEGER NOT NULL))",
    R"(CREATE TABLE labels (
         model TEXT NOT NULL REFERENCES models ON DELETE CASCADE,
         key TEXT NOT NULL, value TEXT NOT NULL,
         PRIMARY KEY (model, key)) WITHOUT ROWID)",
    R"(CREATE TABLE versions (
         model TEXT NOT NULL REFERENCES models ON DELETE CASCADE, number INTEGER NOT NULL,
         standardization TEXT NOT NULL, train_job TEXT NOT NULL, source TEXT NOT NULL,
         dataset_hash TEXT NOT NULL, seed INTEGER NOT NULL, create_time INTEGER NOT NULL,
         parameters BLOB NOT NULL,
         PRIMARY KEY (model, number)))",
    R"(CREATE TABLE metrics (
         model TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, value REAL,
         PRIMARY KEY (model, number, name),
         FOREIGN KEY (model, number) REFERENCES versions ON DELETE CASCADE) WITHOUT ROWID)",
    R"(CREATE TABLE aliases (
         model TEXT NOT NULL, alias TEXT NOT NULL, number INTEGER NOT NULL,
         PRIMARY KEY (model, alias),
         FOREIGN KEY (model, number) REFERENCES versions ON DELETE CASCADE) WITHOUT ROWID)",
    "CREATE INDEX aliases_by_version ON aliases (model, number)",
    // An upload's chunks arrive in many transactions and become a dataset in the
    // last one; an upload that no dataset names is an orphan.
    "CREATE TABLE uploads (key INTEGER PRIMARY KEY AUTOINCREMENT)",
    R"(CREATE TABLE chunks (
         upload INTEGER NOT NULL REFERENCES uploads ON DELETE CASCADE,
         position INTEGER NOT NULL, data BLOB NOT NULL,
         PRIMARY KEY (upload, position)))",
    R"(CREATE TABLE datasets (
         id TEXT PRIMARY KEY, row_count INTEGER NOT NULL, column_count INTEGER NOT NULL,
         dtype TEXT NOT NULL, info TEXT NOT NULL, create_time INTEGER NOT NULL,
         upload INTEGER NOT NULL UNIQUE REFERENCES uploads))",
    R"(CREATE TABLE jobs (
         key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, model TEXT NOT NULL,
         dataset TEXT NOT NULL, request_id TEXT UNIQUE, state INTEGER NOT NULL,
         attempt INTEGER NOT NULL, create_time INTEGER NOT NULL, start_time INTEGER,
         end_time INTEGER, error TEXT NOT NULL, version INTEGER NOT NULL,
         queue_order INTEGER NOT NULL, payload BLOB NOT NULL))",
    "CREATE INDEX jobs_by_model ON jobs (model, id)",
    "CREATE INDEX jobs_by_order ON jobs (queue_order)",
    R"(CREATE TABLE updates (
         job INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE, sequence INTEGER NOT NULL,
         time INTEGER NOT NULL, state INTEGER NOT NULL, attempt INTEGER NOT NULL,
         payload BLOB NOT NULL,
         PRIMARY KEY (job, sequence)) WITHOUT ROWID)",
    R"(CREATE TABLE checkpoints (
         job INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE, data BLOB NOT NULL))",
    R"(CREATE TABLE snapshots (
         job INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE, epoch INTEGER NOT NULL,
         data BLOB NOT NULL,
         PRIMARY KEY (job, epoch)))",
    R"(CREATE VIEW model_records AS SELECT
         id, spec, description, create_time,
         (SELECT max(number) FROM versions WHERE model = models.id) AS latest_version
       FROM models)",
    R"(CREATE VIEW job_records AS SELECT
         id, model, dataset, payload, request_id, state, attempt, create_time, start_time,
         end_time, error, version, queue_order,
         (SELECT max(sequence) FROM updates WHERE job = jobs.key) AS last_sequence
       FROM jobs)",
    "PRAGMA user_version=1",
};

// New files take this step too, so that there is one layout, whatever a file's age.
constexpr const char* kFormat2[] = {
    "ALTER TABLE jobs ADD COLUMN stalled_attempts INTEGER NOT NULL DEFAULT 0",
    "DROP VIEW job_records",
    R"(CREATE VIEW job_records AS SELECT
         id, model, dataset, payload, request_id, state, attempt, create_time, start_time,
         end_time, error, version, queue_order,
         (SELECT max(sequence) FROM updates WHERE job = jobs.key) AS last_sequence,
         stalled_attempts
       FROM jobs)",
    "PRAGMA user_version=2",
};

void Take(Connection& c, std::span<const char* const> step) {
  for (const char* statement : step) c.ExecuteOnce(statement);
}

}  // namespace

absl::Status CheckFormat(int64_t version) {
  if (version >= 0 && version <= kVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the data's format is ", version,
                                                    "; this release reads formats up to ",
                                                    kVersion));
}

absl::Status PrepareSchema(Connection* connection) {
  return connection->InTransaction([](Connection& c) -> absl::Status {
    int64_t version = 0;
    {
      Rows rows = c.Query("PRAGMA user_version");
      if (rows.Next()) version = rows.Int(0);
    }
    if (version == kVersion) return absl::OkStatus();
    RETURN_IF_ERROR(CheckFormat(version));
    if (version == 0 && c.Exists("SELECT 1 FROM sqlite_schema")) {
      return absl::FailedPreconditionError("sluice.db belongs to another program");
    }
    if (version < 1) Take(c, kFormat1);
    if (version < 2) Take(c, kFormat2);
    return absl::OkStatus();
  });
}

}  // namespace sluiced::store
