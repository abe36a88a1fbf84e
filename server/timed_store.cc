#include "server/timed_store.h"

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sluiced {
namespace {

// Times from its construction to its end.
class Stopwatch {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Stopwatch(prometheus::Histogram& histogram) : histogram_(histogram) {}
  ~Stopwatch() { histogram_.Observe(std::chrono::duration<double>(Clock::now() - start_).count()); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  prometheus::Histogram& histogram_;
  const Clock::time_point start_ = Clock::now();
};

// Each call is the other store's, with a stopwatch.
class TimedStore final : public store::Store {
 public:
  TimedStore(std::unique_ptr<store::Store> store, observe::Metrics* metrics)
      : metrics_(*metrics), store_(std::move(store)) {}

  absl::Status CreateModel(const store::ModelRecord& model, const store::VersionRecord& version0,
                           absl::string_view parameters) override {
    const Stopwatch stopwatch(create_model_);
    return store_->CreateModel(model, version0, parameters);
  }
  absl::StatusOr<store::ModelRecord> GetModel(absl::string_view id) override {
    const Stopwatch stopwatch(get_model_);
    return store_->GetModel(id);
  }
  absl::StatusOr<std::vector<store::ModelRecord>> ListModels(const store::Page& page) override {
    const Stopwatch stopwatch(list_models_);
    return store_->ListModels(page);
  }
  absl::Status UpdateModel(const store::ModelRecord& model) override {
    const Stopwatch stopwatch(update_model_);
    return store_->UpdateModel(model);
  }
  absl::Status DeleteModel(absl::string_view id) override {
    const Stopwatch stopwatch(delete_model_);
    return store_->DeleteModel(id);
  }
  absl::StatusOr<store::VersionRecord> GetVersion(absl::string_view model,
                                                  int64_t number) override {
    const Stopwatch stopwatch(get_version_);
    return store_->GetVersion(model, number);
  }
  absl::StatusOr<std::string> GetParameters(absl::string_view model, int64_t number) override {
    const Stopwatch stopwatch(get_parameters_);
    return store_->GetParameters(model, number);
  }
  absl::StatusOr<std::vector<store::VersionRecord>> ListVersions(absl::string_view model,
                                                                 int64_t after,
                                                                 int64_t limit) override {
    const Stopwatch stopwatch(list_versions_);
    return store_->ListVersions(model, after, limit);
  }
  absl::Status DeleteVersion(absl::string_view model, int64_t number) override {
    const Stopwatch stopwatch(delete_version_);
    return store_->DeleteVersion(model, number);
  }
  absl::Status SetAlias(absl::string_view model, absl::string_view alias,
                        int64_t version) override {
    const Stopwatch stopwatch(set_alias_);
    return store_->SetAlias(model, alias, version);
  }
  absl::Status DeleteAlias(absl::string_view model, absl::string_view alias) override {
    const Stopwatch stopwatch(delete_alias_);
    return store_->DeleteAlias(model, alias);
  }
  absl::Status CreateDataset(const store::DatasetRecord& dataset,
                             const std::function<absl::StatusOr<std::string>()>& next) override {
    const Stopwatch stopwatch(create_dataset_);
    return store_->CreateDataset(dataset, next);
  }
  absl::StatusOr<store::DatasetRecord> GetDataset(absl::string_view id) override {
    const Stopwatch stopwatch(get_dataset_);
    return store_->GetDataset(id);
  }
  absl::StatusOr<std::vector<store::DatasetRecord>> ListDatasets(const store::Page& page) override {
    const Stopwatch stopwatch(list_datasets_);
    return store_->ListDatasets(page);
  }
  absl::StatusOr<std::string> GetDatasetChunk(absl::string_view id, int64_t index) override {
    const Stopwatch stopwatch(get_dataset_chunk_);
    return store_->GetDatasetChunk(id, index);
  }
  absl::Status DeleteDataset(absl::string_view id) override {
    const Stopwatch stopwatch(delete_dataset_);
    return store_->DeleteDataset(id);
  }
  absl::StatusOr<store::JobRecord> CreateJob(const store::JobRecord& job) override {
    const Stopwatch stopwatch(create_job_);
    return store_->CreateJob(job);
  }
  absl::StatusOr<store::JobRecord> GetJob(absl::string_view id) override {
    const Stopwatch stopwatch(get_job_);
    return store_->GetJob(id);
  }
  absl::StatusOr<std::vector<store::JobRecord>> ListJobs(const store::Page& page,
                                                         absl::string_view model) override {
    const Stopwatch stopwatch(list_jobs_);
    return store_->ListJobs(page, model);
  }
  absl::StatusOr<std::vector<store::JobRecord>> ListUnfinishedJobs() override {
    const Stopwatch stopwatch(list_unfinished_jobs_);
    return store_->ListUnfinishedJobs();
  }
  absl::Status SaveJob(const store::JobRecord& job,
                       const std::vector<store::UpdateRecord>& updates) override {
    const Stopwatch stopwatch(save_job_);
    return store_->SaveJob(job, updates);
  }
  absl::Status AppendUpdates(absl::string_view job,
                             const std::vector<store::UpdateRecord>& updates) override {
    const Stopwatch stopwatch(append_updates_);
    return store_->AppendUpdates(job, updates);
  }
  absl::StatusOr<std::vector<store::UpdateRecord>> ListUpdates(absl::string_view job, int64_t after,
                                                               int64_t limit) override {
    const Stopwatch stopwatch(list_updates_);
    return store_->ListUpdates(job, after, limit);
  }
  absl::Status SaveCheckpoint(absl::string_view job, absl::string_view checkpoint) override {
    const Stopwatch stopwatch(save_checkpoint_);
    return store_->SaveCheckpoint(job, checkpoint);
  }
  absl::StatusOr<std::string> GetCheckpoint(absl::string_view job) override {
    const Stopwatch stopwatch(get_checkpoint_);
    return store_->GetCheckpoint(job);
  }
  absl::Status SaveSnapshot(absl::string_view job, int64_t epoch,
                            absl::string_view snapshot) override {
    const Stopwatch stopwatch(save_snapshot_);
    return store_->SaveSnapshot(job, epoch, snapshot);
  }
  absl::StatusOr<std::string> GetSnapshot(absl::string_view job, int64_t epoch) override {
    const Stopwatch stopwatch(get_snapshot_);
    return store_->GetSnapshot(job, epoch);
  }
  absl::StatusOr<std::vector<int64_t>> ListSnapshots(absl::string_view job) override {
    const Stopwatch stopwatch(list_snapshots_);
    return store_->ListSnapshots(job);
  }
  absl::StatusOr<int64_t> FinishJob(const store::JobRecord& job,
                                    const std::vector<store::UpdateRecord>& updates,
                                    const Publication& publication) override {
    const Stopwatch stopwatch(finish_job_);
    return store_->FinishJob(job, updates, publication);
  }
  absl::Status DeleteJob(absl::string_view id) override {
    const Stopwatch stopwatch(delete_job_);
    return store_->DeleteJob(id);
  }
  absl::Status TrimUpdates(absl::string_view job, int64_t keep) override {
    const Stopwatch stopwatch(trim_updates_);
    return store_->TrimUpdates(job, keep);
  }
  absl::Status ForgetJobsEndedBefore(absl::Time time) override {
    const Stopwatch stopwatch(forget_jobs_);
    return store_->ForgetJobsEndedBefore(time);
  }
  absl::StatusOr<std::unique_ptr<store::Backup>> StartBackup() override {
    const Stopwatch stopwatch(start_backup_);
    return store_->StartBackup();
  }

 private:
  observe::Metrics& metrics_;
  const std::unique_ptr<store::Store> store_;
  prometheus::Histogram& create_model_ = metrics_.StoreOperation("create_model");
  prometheus::Histogram& get_model_ = metrics_.StoreOperation("get_model");
  prometheus::Histogram& list_models_ = metrics_.StoreOperation("list_models");
  prometheus::Histogram& update_model_ = metrics_.StoreOperation("update_model");
  prometheus::Histogram& delete_model_ = metrics_.StoreOperation("delete_model");
  prometheus::Histogram& get_version_ = metrics_.StoreOperation("get_version");
  prometheus::Histogram& get_parameters_ = metrics_.StoreOperation("get_parameters");
  prometheus::Histogram& list_versions_ = metrics_.StoreOperation("list_versions");
  prometheus::Histogram& delete_version_ = metrics_.StoreOperation("delete_version");
  prometheus::Histogram& set_alias_ = metrics_.StoreOperation("set_alias");
  prometheus::Histogram& delete_alias_ = metrics_.StoreOperation("delete_alias");
  prometheus::Histogram& create_dataset_ = metrics_.StoreOperation("create_dataset");
  prometheus::Histogram& get_dataset_ = metrics_.StoreOperation("get_dataset");
  prometheus::Histogram& list_datasets_ = metrics_.StoreOperation("list_datasets");
  prometheus::Histogram& get_dataset_chunk_ = metrics_.StoreOperation("get_dataset_chunk");
  prometheus::Histogram& delete_dataset_ = metrics_.StoreOperation("delete_dataset");
  prometheus::Histogram& create_job_ = metrics_.StoreOperation("create_job");
  prometheus::Histogram& get_job_ = metrics_.StoreOperation("get_job");
  prometheus::Histogram& list_jobs_ = metrics_.StoreOperation("list_jobs");
  prometheus::Histogram& list_unfinished_jobs_ = metrics_.StoreOperation("list_unfinished_jobs");
  prometheus::Histogram& save_job_ = metrics_.StoreOperation("save_job");
  prometheus::Histogram& append_updates_ = metrics_.StoreOperation("append_updates");
  prometheus::Histogram& list_updates_ = metrics_.StoreOperation("list_updates");
  prometheus::Histogram& save_checkpoint_ = metrics_.StoreOperation("save_checkpoint");
  prometheus::Histogram& get_checkpoint_ = metrics_.StoreOperation("get_checkpoint");
  prometheus::Histogram& save_snapshot_ = metrics_.StoreOperation("save_snapshot");
  prometheus::Histogram& get_snapshot_ = metrics_.StoreOperation("get_snapshot");
  prometheus::Histogram& list_snapshots_ = metrics_.StoreOperation("list_snapshots");
  prometheus::Histogram& finish_job_ = metrics_.StoreOperation("finish_job");
  prometheus::Histogram& delete_job_ = metrics_.StoreOperation("delete_job");
  prometheus::Histogram& trim_updates_ = metrics_.StoreOperation("trim_updates");
  prometheus::Histogram& forget_jobs_ = metrics_.StoreOperation("forget_jobs");
  prometheus::Histogram& start_backup_ = metrics_.StoreOperation("start_backup");
};

}  // namespace

std::unique_ptr<store::Store> MakeTimedStore(std::unique_ptr<store::Store> store,
                                             observe::Metrics* metrics) {
  return std::make_unique<TimedStore>(std::move(store), metrics);
}

}  // namespace sluiced
