#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/store/sqlite_store_impl.h"

namespace sluiced::store {
namespace {

// Chunks of about 1 MiB removed in one transaction.
constexpr int kChunksPerStep = 64;

std::string NameOf(absl::string_view dataset) { return absl::StrCat("datasets/", dataset); }

DatasetRecord ReadDataset(const Rows& row) {
  DatasetRecord dataset;
  dataset.id = row.Text(0);
  dataset.rows = row.Int(1);
  dataset.columns = row.Int(2);
  dataset.dtype = row.Text(3);
  dataset.info_json = row.Text(4);
  dataset.create_time = row.Time(5);
  return dataset;
}

// The first upload that no dataset names and nobody is writing, or -1.
int64_t FindOrphan(Connection& c, const std::set<int64_t>& uploading) {
  Rows rows = c.Query(
      "SELECT key FROM uploads WHERE NOT EXISTS"
      " (SELECT 1 FROM datasets WHERE upload = uploads.key)");
  while (rows.Next()) {
    if (!uploading.contains(rows.Int(0))) return rows.Int(0);
  }
  return -1;
}

}  // namespace

absl::Status FindDataset(Connection& c, absl::string_view id) {
  if (c.Exists("SELECT 1 FROM datasets WHERE id = ?", id)) return absl::OkStatus();
  return NotFound("dataset", NameOf(id));
}

absl::Status SqliteStore::CreateDataset(const DatasetRecord& dataset,
                                        const std::function<absl::StatusOr<std::string>()>& next) {
  ASSIGN_OR_RETURN(const int64_t upload, BeginUpload(dataset.id));
  absl::Status status = StageChunks(upload, next);
  if (status.ok()) status = PublishUpload(upload, dataset);
  {
    std::lock_guard<std::mutex> hold(write_mu_);
    uploading_.erase(upload);
  }
  // Should this fail too, the next removal or opening takes them.
  if (!status.ok()) RemoveOrphans().IgnoreError();
  return status;
}

absl::StatusOr<int64_t> SqliteStore::BeginUpload(absl::string_view dataset) {
  std::lock_guard<std::mutex> hold(write_mu_);
  auto upload = WriteLocked(*deferred_writer_, [&](Connection& c) -> absl::StatusOr<int64_t> {
    if (FindDataset(c, dataset).ok()) return AlreadyExists("dataset", NameOf(dataset));
    c.Execute("INSERT INTO uploads DEFAULT VALUES");
    return c.LastInsertedKey();
  });
  if (upload.ok()) uploading_.insert(*upload);
  return upload;
}

absl::Status SqliteStore::StageChunks(int64_t upload,
                                      const std::function<absl::StatusOr<std::string>()>& next) {
  for (int64_t position = 0;; ++position) {
    // Outside of any transaction: a slow uploader keeps nobody waiting.
    ASSIGN_OR_RETURN(const std::string chunk, next());
    if (chunk.empty()) return absl::OkStatus();
    const absl::Status staged = WriteDeferred([&](Connection& c) -> absl::Status {
      c.Execute("INSERT INTO chunks (upload, position, data) VALUES (?, ?, ?)", upload, position,
                Blob{chunk});
      return absl::OkStatus();
    });
    if (!staged.ok()) return staged;
  }
}

absl::Status SqliteStore::PublishUpload(int64_t upload, const DatasetRecord& dataset) {
  return Write([&](Connection& c) -> absl::Status {
    if (FindDataset(c, dataset.id).ok()) return AlreadyExists("dataset", NameOf(dataset.id));
    c.Execute(
        "INSERT INTO datasets (id, row_count, column_count, dtype, info, create_time, upload)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        dataset.id, dataset.rows, dataset.columns, dataset.dtype, dataset.info_json,
        dataset.create_time, upload);
    return absl::OkStatus();
  });
}

absl::Status SqliteStore::RemoveOrphans() {
  bool removed_any = false;
  for (bool more = true; more;) {
    std::lock_guard<std::mutex> hold(write_mu_);
    RETURN_IF_ERROR(FreeLocked(*deferred_writer_, [&](Connection& c) -> absl::Status {
      const int64_t orphan = FindOrphan(c, uploading_);
      more = orphan >= 0;
      if (!more) return absl::OkStatus();
      const int64_t removed = c.Execute(
          "DELETE FROM chunks WHERE upload = ? AND position IN"
          " (SELECT position FROM chunks WHERE upload = ? LIMIT ?)",
          orphan, orphan, kChunksPerStep);
      if (removed < kChunksPerStep) c.Execute("DELETE FROM uploads WHERE key = ?", orphan);
      return absl::OkStatus();
    }));
    removed_any = removed_any || more;
  }
  if (removed_any) ReleaseSpace();
  return absl::OkStatus();
}

absl::StatusOr<DatasetRecord> SqliteStore::GetDataset(absl::string_view id) {
  return Read([&](Connection& c) -> absl::StatusOr<DatasetRecord> {
    Rows rows = c.Query(
        "SELECT id, row_count, column_count, dtype, info, create_time FROM datasets WHERE id = ?",
        id);
    if (!rows.Next()) return NotFound("dataset", NameOf(id));
    return ReadDataset(rows);
  });
}

absl::StatusOr<std::vector<DatasetRecord>> SqliteStore::ListDatasets(const Page& page) {
  return Read([&](Connection& c) -> absl::StatusOr<std::vector<DatasetRecord>> {
    std::vector<DatasetRecord> datasets;
    Rows rows = c.Query(
        "SELECT id, row_count, column_count, dtype, info, create_time FROM datasets"
        " WHERE id > ? ORDER BY id LIMIT max(?, 0)",
        page.after, page.limit);
    while (rows.Next()) datasets.push_back(ReadDataset(rows));
    return datasets;
  });
}

absl::StatusOr<std::string> SqliteStore::GetDatasetChunk(absl::string_view id, int64_t index) {
  return Read([&](Connection& c) -> absl::StatusOr<std::string> {
    RETURN_IF_ERROR(FindDataset(c, id));
    Rows rows = c.Query(
        "SELECT data FROM chunks WHERE position = ? AND"
        " upload = (SELECT upload FROM datasets WHERE id = ?)",
        index, id);
    if (!rows.Next()) return NotFound("chunk", absl::StrCat(NameOf(id), "/chunks/", index));
    return rows.Text(0);
  });
}

absl::Status SqliteStore::DeleteDataset(absl::string_view id) {
  absl::Status deleted = Free([&](Connection& c) -> absl::Status {
    RETURN_IF_ERROR(FindDataset(c, id));
    Rows jobs = c.Query("SELECT id FROM jobs WHERE dataset = ? AND state < ? LIMIT 1", id,
                        static_cast<int>(JobState::kSucceeded));
    if (jobs.Next()) {
      return absl::FailedPreconditionError(absl::StrCat(NameOf(id), " is read by trainJobs/",
                                                        jobs.Text(0), ", which is not finished"));
    }
    c.Execute("DELETE FROM datasets WHERE id = ?", id);
    return absl::OkStatus();
  });
  // Once the dataset is gone its chunks may go later.
  if (deleted.ok()) RemoveOrphans().IgnoreError();
  return deleted;
}

}  // namespace sluiced::store
