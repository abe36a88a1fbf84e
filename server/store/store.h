// Store: everything that must survive, in one transactional place.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/store/backup.h"
#include "server/store/records.h"

namespace sluiced::store {

// Thread-safe; every call blocks until done. A call that returned OK has been
// written to disk; one that failed has changed nothing. Errors: NOT_FOUND and
// ALREADY_EXISTS name the resource; FAILED_PRECONDITION as the calls say;
// RESOURCE_EXHAUSTED when the disk is full; INTERNAL for I/O errors.
class Store {
 public:
  virtual ~Store() = default;

  // --- models and versions
  // Makes the model with version 0.
  virtual absl::Status CreateModel(const ModelRecord& model, const VersionRecord& version0,
                                   absl::string_view parameters) = 0;
  virtual absl::StatusOr<ModelRecord> GetModel(absl::string_view id) = 0;
  virtual absl::StatusOr<std::vector<ModelRecord>> ListModels(const Page& page) = 0;  // By id.
  virtual absl::Status UpdateModel(const ModelRecord& model) = 0;  // Description and labels.
  // With versions and aliases. FAILED_PRECONDITION while a job of it is unfinished.
  virtual absl::Status DeleteModel(absl::string_view id) = 0;
  virtual absl::StatusOr<VersionRecord> GetVersion(absl::string_view model, int64_t number) = 0;
  virtual absl::StatusOr<std::string> GetParameters(absl::string_view model, int64_t number) = 0;
  // Numbers > after, ascending.
  virtual absl::StatusOr<std::vector<VersionRecord>> ListVersions(absl::string_view model,
                                                                  int64_t after, int64_t limit) = 0;
  // FAILED_PRECONDITION for one that an alias names, `latest` included.
  virtual absl::Status DeleteVersion(absl::string_view model, int64_t number) = 0;
  virtual absl::Status SetAlias(absl::string_view model, absl::string_view alias,
                                int64_t version) = 0;
  virtual absl::Status DeleteAlias(absl::string_view model, absl::string_view alias) = 0;

  // --- datasets
  // Writes in chunks of whole rows (bytes, row-major little-endian) inside one
  // transaction: all or nothing. `next` gives the chunks, empty at the end.
  virtual absl::Status CreateDataset(const DatasetRecord& dataset,
                                     const std::function<absl::StatusOr<std::string>()>& next) = 0;
  virtual absl::StatusOr<DatasetRecord> GetDataset(absl::string_view id) = 0;
  virtual absl::StatusOr<std::vector<DatasetRecord>> ListDatasets(const Page& page) = 0;
  // Chunk `index` (from 0) as it was written; NOT_FOUND past the last.
  virtual absl::StatusOr<std::string> GetDatasetChunk(absl::string_view id, int64_t index) = 0;
  // FAILED_PRECONDITION while a job that reads it is unfinished.
  virtual absl::Status DeleteDataset(absl::string_view id) = 0;

  // --- jobs
  // Gives `order`; NOT_FOUND when its model or dataset does not exist. With a
  // request_id seen before: changes nothing and returns the job it made.
  virtual absl::StatusOr<JobRecord> CreateJob(const JobRecord& job) = 0;
  virtual absl::StatusOr<JobRecord> GetJob(absl::string_view id) = 0;
  // By id; only those of `model` unless it is empty.
  virtual absl::StatusOr<std::vector<JobRecord>> ListJobs(const Page& page,
                                                          absl::string_view model) = 0;
  virtual absl::StatusOr<std::vector<JobRecord>> ListUnfinishedJobs() = 0;  // By order.
  // Writes the job's mutable fields (state, attempts, times, error, order) and
  // appends `updates`, together; last_sequence follows the updates.
  virtual absl::Status SaveJob(const JobRecord& job, const std::vector<UpdateRecord>& updates) = 0;
  // Appends progress of a running job. It survives the end of the process at
  // once, and that of the machine when any later writing call of another kind returns OK.
  virtual absl::Status AppendUpdates(absl::string_view job,
                                     const std::vector<UpdateRecord>& updates) = 0;
  // Sequences > after, ascending.
  virtual absl::StatusOr<std::vector<UpdateRecord>> ListUpdates(absl::string_view job,
                                                                int64_t after, int64_t limit) = 0;
  // Sets the job's stalled_attempts to 0, together.
  virtual absl::Status SaveCheckpoint(absl::string_view job, absl::string_view checkpoint) = 0;
  virtual absl::StatusOr<std::string> GetCheckpoint(absl::string_view job) = 0;  // "" if none.
  virtual absl::Status SaveSnapshot(absl::string_view job, int64_t epoch,
                                    absl::string_view snapshot) = 0;
  virtual absl::StatusOr<std::string> GetSnapshot(absl::string_view job, int64_t epoch) = 0;
  virtual absl::StatusOr<std::vector<int64_t>> ListSnapshots(absl::string_view job) = 0;

  struct Publication {
    VersionRecord version;  // Its number is given by the store.
    std::string parameters;
    std::string last_checkpoint;
  };
  // One transaction: the version (now the latest), the job's final record and its
  // terminal updates. Returns the version's number, which is also written to the
  // job.
  virtual absl::StatusOr<int64_t> FinishJob(const JobRecord& job,
                                            const std::vector<UpdateRecord>& updates,
                                            const Publication& publication) = 0;
  // With updates, checkpoint and snapshots. FAILED_PRECONDITION unless ended.
  virtual absl::Status DeleteJob(absl::string_view id) = 0;

  // --- keeping house, in steps that let other writers in
  // Leaves the job's last `keep` updates, at least one.
  virtual absl::Status TrimUpdates(absl::string_view job, int64_t keep) = 0;
  // Of jobs that ended before `time` leaves the record and the last update.
  virtual absl::Status ForgetJobsEndedBefore(absl::Time time) = 0;
  // A copy of all that is acknowledged now. One at a time: RESOURCE_EXHAUSTED while
  // another is there, or when the disk has no room for it.
  virtual absl::StatusOr<std::unique_ptr<Backup>> StartBackup() = 0;
};

}  // namespace sluiced::store
