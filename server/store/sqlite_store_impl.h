// The class behind OpenSqliteStore; its parts lie in sqlite_*.cc by resource.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/store/data_dir_lock.h"
#include "server/store/space_reserve.h"
#include "server/store/sqlite_connection.h"
#include "server/store/store.h"

namespace sluiced::store {

// Thread-safe: one writer at a time, behind a mutex; readers each on a
// connection of their own, which never wait for the writer (WAL).
//
// std::mutex and not absl::Mutex: ThreadSanitizer does not see the locks of
// Debian's absl and would report every access they guard.
class SqliteStore : public Store {
 public:
  // Of a data directory that `lock` owns.
  SqliteStore(DataDirLock lock, const std::string& data_dir);
  // Checks the file, and removes uploads that a killed process left behind.
  absl::Status Start();

  absl::Status CreateModel(const ModelRecord& model, const VersionRecord& version0,
                           absl::string_view parameters) override;
  absl::StatusOr<ModelRecord> GetModel(absl::string_view id) override;
  absl::StatusOr<std::vector<ModelRecord>> ListModels(const Page& page) override;
  absl::Status UpdateModel(const ModelRecord& model) override;
  absl::Status DeleteModel(absl::string_view id) override;
  absl::StatusOr<VersionRecord> GetVersion(absl::string_view model, int64_t number) override;
  absl::StatusOr<std::string> GetParameters(absl::string_view model, int64_t number) override;
  absl::StatusOr<std::vector<VersionRecord>> ListVersions(absl::string_view model, int64_t after,
                                                          int64_t limit) override;
  absl::Status DeleteVersion(absl::string_view model, int64_t number) override;
  absl::Status SetAlias(absl::string_view model, absl::string_view alias, int64_t version) override;
  absl::Status DeleteAlias(absl::string_view model, absl::string_view alias) override;

  absl::Status CreateDataset(const DatasetRecord& dataset,
                             const std::function<absl::StatusOr<std::string>()>& next) override;
  absl::StatusOr<DatasetRecord> GetDataset(absl::string_view id) override;
  absl::StatusOr<std::vector<DatasetRecord>> ListDatasets(const Page& page) override;
  absl::StatusOr<std::string> GetDatasetChunk(absl::string_view id, int64_t index) override;
  absl::Status DeleteDataset(absl::string_view id) override;

  absl::StatusOr<JobRecord> CreateJob(const JobRecord& job) override;
  absl::StatusOr<JobRecord> GetJob(absl::string_view id) override;
  absl::StatusOr<std::vector<JobRecord>> ListJobs(const Page& page,
                                                  absl::string_view model) override;
  absl::StatusOr<std::vector<JobRecord>> ListUnfinishedJobs() override;
  absl::Status SaveJob(const JobRecord& job, const std::vector<UpdateRecord>& updates) override;
  absl::Status AppendUpdates(absl::string_view job,
                             const std::vector<UpdateRecord>& updates) override;
  absl::StatusOr<std::vector<UpdateRecord>> ListUpdates(absl::string_view job, int64_t after,
                                                        int64_t limit) override;
  absl::Status SaveCheckpoint(absl::string_view job, absl::string_view checkpoint) override;
  absl::StatusOr<std::string> GetCheckpoint(absl::string_view job) override;
  absl::Status SaveSnapshot(absl::string_view job, int64_t epoch,
                            absl::string_view snapshot) override;
  absl::StatusOr<std::string> GetSnapshot(absl::string_view job, int64_t epoch) override;
  absl::StatusOr<std::vector<int64_t>> ListSnapshots(absl::string_view job) override;
  absl::StatusOr<int64_t> FinishJob(const JobRecord& job, const std::vector<UpdateRecord>& updates,
                                    const Publication& publication) override;
  absl::Status DeleteJob(absl::string_view id) override;

  absl::Status TrimUpdates(absl::string_view job, int64_t keep) override;
  absl::Status ForgetJobsEndedBefore(absl::Time time) override;
  absl::StatusOr<std::unique_ptr<Backup>> StartBackup() override;

 private:
  // A transaction that is on disk once it returned OK.
  template <typename Body>
  auto Write(Body&& body) -> decltype(body(std::declval<Connection&>())) {
    std::lock_guard<std::mutex> hold(write_mu_);
    return WriteLocked(*writer_, body);
  }
  // One that survives the process at once, and the machine after the next Write.
  template <typename Body>
  auto WriteDeferred(Body&& body) -> decltype(body(std::declval<Connection&>())) {
    std::lock_guard<std::mutex> hold(write_mu_);
    return WriteLocked(*deferred_writer_, body);
  }
  template <typename Body>
  auto WriteLocked(Connection& writer, Body&& body) -> decltype(body(std::declval<Connection&>()))
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_) {
    auto result = writer.InTransaction(body);
    if (IsFull(result)) ReuseLogLocked();
    return result;
  }
  // A write that frees space: on a full disk it uses the reserve.
  absl::Status Free(const std::function<absl::Status(Connection&)>& body);
  absl::Status FreeLocked(Connection& writer, const std::function<absl::Status(Connection&)>& body)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  // Sees one state of the store throughout.
  template <typename Body>
  auto Read(Body&& body) -> decltype(body(std::declval<Connection&>())) {
    absl::StatusOr<std::unique_ptr<Connection>> reader = TakeReader();
    if (!reader.ok()) return reader.status();
    auto result = (*reader)->InTransaction(body);
    ReturnReader(*std::move(reader));
    return result;
  }
  absl::Status ConnectLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  absl::StatusOr<std::unique_ptr<Connection>> TakeReader();
  void ReturnReader(std::unique_ptr<Connection> reader);

  static bool IsFull(const absl::Status& status) { return absl::IsResourceExhausted(status); }
  template <typename T>
  static bool IsFull(const absl::StatusOr<T>& result) {
    return IsFull(result.status());
  }
  // Moves what fits from the WAL into the database file, so that the WAL's space
  // can be written again.
  void ReuseLogLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  // Gives the space of deleted rows back to the file system, and makes the reserve
  // whole; best effort, in steps that let other writers in.
  void ReleaseSpace();
  // Returns how many pages are left to give back.
  absl::StatusOr<int64_t> ReleaseStepLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);

  absl::StatusOr<int64_t> BeginUpload(absl::string_view dataset);
  absl::Status StageChunks(int64_t upload,
                           const std::function<absl::StatusOr<std::string>()>& next);
  absl::Status PublishUpload(int64_t upload, const DatasetRecord& dataset);
  // Removes the chunks of uploads that nothing names, in steps.
  absl::Status RemoveOrphans();

  // Constant after construction.
  const DataDirLock lock_;
  const std::string data_dir_;
  const std::string path_;
  // Guarded.
  std::mutex write_mu_;
  SpaceReserve reserve_ ABSL_GUARDED_BY(write_mu_);
  std::unique_ptr<Connection> writer_ ABSL_GUARDED_BY(write_mu_);
  std::unique_ptr<Connection> deferred_writer_ ABSL_GUARDED_BY(write_mu_);
  std::set<int64_t> uploading_ ABSL_GUARDED_BY(write_mu_);
  std::weak_ptr<void> backup_slot_ ABSL_GUARDED_BY(write_mu_);  // Held by the backup there is.
  std::mutex readers_mu_;
  std::vector<std::unique_ptr<Connection>> idle_readers_ ABSL_GUARDED_BY(readers_mu_);
};

// Shared by the parts, inside a transaction.
absl::Status FindModel(Connection& c, absl::string_view id);
absl::Status FindDataset(Connection& c, absl::string_view id);
absl::StatusOr<int64_t> FindJobKey(Connection& c, absl::string_view id);
void InsertVersion(Connection& c, const VersionRecord& version, absl::string_view parameters);
void InsertUpdates(Connection& c, int64_t job_key, const std::vector<UpdateRecord>& updates);
absl::Status UpdateJob(Connection& c, int64_t key, const JobRecord& job);

}  // namespace sluiced::store
