#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/store/sqlite_store_impl.h"

namespace sluiced::store {
namespace {

std::string NameOf(absl::string_view model, int64_t number) {
  return absl::StrCat("models/", model, "/versions/", number);
}

VersionRecord ReadVersion(Connection& c, const Rows& row) {
  VersionRecord version;
  version.model = row.Text(0);
  version.number = row.Int(1);
  version.standardization_json = row.Text(2);
  version.train_job = row.Text(3);
  version.source = row.Text(4);
  version.dataset_hash = row.Text(5);
  version.seed = static_cast<uint64_t>(row.Int(6));
  version.create_time = row.Time(7);
  Rows metrics = c.Query("SELECT name, value FROM metrics WHERE model = ? AND number = ?",
                         version.model, version.number);
  while (metrics.Next()) version.metrics[metrics.Text(0)] = metrics.Real(1);
  return version;
}

}  // namespace

void InsertVersion(Connection& c, const VersionRecord& version, absl::string_view parameters) {
  c.Execute(
      "INSERT INTO versions (model, number, standardization, train_job, source, dataset_hash,"
      " seed, create_time, parameters) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      version.model, version.number, version.standardization_json, version.train_job,
      version.source, version.dataset_hash, static_cast<int64_t>(version.seed), version.create_time,
      Blob{parameters});
  for (const auto& [name, value] : version.metrics) {
    c.Execute("INSERT INTO metrics (model, number, name, value) VALUES (?, ?, ?, ?)", version.model,
              version.number, name, value);
  }
}

absl::StatusOr<VersionRecord> SqliteStore::GetVersion(absl::string_view model, int64_t number) {
  return Read([&](Connection& c) -> absl::StatusOr<VersionRecord> {
    RETURN_IF_ERROR(FindModel(c, model));
    Rows rows = c.Query(
        "SELECT model, number, standardization, train_job, source, dataset_hash, seed,"
        " create_time FROM versions WHERE model = ? AND number = ?",
        model, number);
    if (!rows.Next()) return NotFound("version", NameOf(model, number));
    return ReadVersion(c, rows);
  });
}

absl::StatusOr<std::string> SqliteStore::GetParameters(absl::string_view model, int64_t number) {
  return Read([&](Connection& c) -> absl::StatusOr<std::string> {
    RETURN_IF_ERROR(FindModel(c, model));
    Rows rows =
        c.Query("SELECT parameters FROM versions WHERE model = ? AND number = ?", model, number);
    if (!rows.Next()) return NotFound("version", NameOf(model, number));
    return rows.Text(0);
  });
}

absl::StatusOr<std::vector<VersionRecord>> SqliteStore::ListVersions(absl::string_view model,
                                                                     int64_t after, int64_t limit) {
  return Read([&](Connection& c) -> absl::StatusOr<std::vector<VersionRecord>> {
    RETURN_IF_ERROR(FindModel(c, model));
    std::vector<VersionRecord> versions;
    Rows rows = c.Query(
        "SELECT model, number, standardization, train_job, source, dataset_hash, seed,"
        " create_time FROM versions WHERE model = ? AND number > ? ORDER BY number"
        " LIMIT max(?, 0)",
        model, after, limit);
    while (rows.Next()) versions.push_back(ReadVersion(c, rows));
    return versions;
  });
}

absl::Status SqliteStore::DeleteVersion(absl::string_view model, int64_t number) {
  absl::Status deleted = Free([&](Connection& c) -> absl::Status {
    RETURN_IF_ERROR(FindModel(c, model));
    if (!c.Exists("SELECT 1 FROM versions WHERE model = ? AND number = ?", model, number)) {
      return NotFound("version", NameOf(model, number));
    }
    // Numbers are given from the greatest on: keeping the latest keeps any from
    // being given twice.
    if (!c.Exists("SELECT 1 FROM versions WHERE model = ? AND number > ?", model, number)) {
      return absl::FailedPreconditionError(
          absl::StrCat(NameOf(model, number), " is the latest version"));
    }
    Rows aliases =
        c.Query("SELECT alias FROM aliases WHERE model = ? AND number = ?", model, number);
    if (aliases.Next()) {
      return absl::FailedPreconditionError(
          absl::StrCat(NameOf(model, number), " is named by the alias ", aliases.Text(0)));
    }
    c.Execute("DELETE FROM versions WHERE model = ? AND number = ?", model, number);
    return absl::OkStatus();
  });
  if (deleted.ok()) ReleaseSpace();
  return deleted;
}

}  // namespace sluiced::store
