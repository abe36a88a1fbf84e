// ClientImpl: the client over a set of stubs. Its methods lie by service in
// *_calls.cc; each is encode, call, decode.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/src/connection.h"
#include "sluice/client.h"

namespace sluice {

// Thread-safe: constant after construction.
class ClientImpl final : public Client {
 public:
  ClientImpl(Stubs stubs, const ClientOptions& options)
      : stubs_(std::move(stubs)), options_(options) {}

  Result<Health> CheckHealth() override;
  Result<Statistics> GetStatistics() override;
  Status Backup(const std::function<Status(const BackupPart&)>& on_part) override;

  Result<Model> CreateModel(const std::string& id, const FlowSpec& spec,
                            const CreateModelOptions& options) override;
  Result<Model> GetModel(const std::string& id) override;
  Result<std::vector<Model>> ListModels() override;
  Result<Model> UpdateModel(
      const std::string& id, const std::optional<std::string>& description,
      const std::optional<std::map<std::string, std::string>>& labels) override;
  Status DeleteModel(const std::string& id) override;
  Result<Version> GetVersion(const std::string& model) override;
  Result<std::vector<Version>> ListVersions(const std::string& id) override;
  Status DeleteVersion(const std::string& model) override;
  Result<Model> SetAlias(const std::string& id, const std::string& alias, int64_t version) override;
  Result<Model> DeleteAlias(const std::string& id, const std::string& alias) override;
  Result<std::string> ExportModel(const std::string& model) override;
  Result<Model> ImportModel(const std::string& id, const std::string& file,
                            const std::string& description) override;

  Result<Dataset> UploadFile(const std::string& id, std::istream& file, FileFormat format,
                             const std::string& source, const std::string& description) override;
  Result<Dataset> UploadRows(const std::string& id, const Matrix& rows, const std::string& source,
                             const std::string& description) override;
  Result<Dataset> GenerateDataset(const std::string& id, const std::string& toy, int64_t rows,
                                  uint64_t seed, std::optional<double> noise,
                                  const std::string& description) override;
  Result<Dataset> DrawTarget(const std::string& id, const std::string& target, int64_t rows,
                             uint64_t seed, const std::string& description) override;
  Result<Matrix> DownloadDataset(const std::string& id) override;
  Result<Dataset> GetDataset(const std::string& id) override;
  Result<std::vector<Dataset>> ListDatasets() override;
  Status DeleteDataset(const std::string& id) override;
  Result<std::vector<Toy>> ListToys() override;

  Result<TrainJob> CreateTrainJob(const TrainRequest& request) override;
  Result<TrainJob> GetTrainJob(const std::string& id) override;
  Result<std::vector<TrainJob>> ListTrainJobs(const std::string& model) override;
  Result<TrainJob> CancelTrainJob(const std::string& id) override;
  Result<TrainJob> PauseTrainJob(const std::string& id) override;
  Result<TrainJob> ResumeTrainJob(const std::string& id) override;
  Status DeleteTrainJob(const std::string& id) override;
  Status WatchTrainJob(const std::string& id, int64_t after_sequence,
                       const std::function<bool(const TrainUpdate&)>& on_update,
                       const std::function<void(Connection)>& on_connection) override;
  Result<std::vector<Target>> ListTargets() override;
  Result<std::vector<double>> EvaluateTarget(const std::string& id, const Matrix& x) override;

  Result<LogProbs> LogProb(const std::string& model, const Matrix& x) override;
  Result<Samples> Sample(const std::string& model, int64_t rows,
                         const SampleOptions& options) override;
  Status StreamSample(const std::string& model, int64_t rows, const SampleOptions& options,
                      const std::function<Status(const Samples&)>& on_chunk) override;
  Result<Images> Transform(const std::string& model, Direction direction, const Matrix& points,
                           bool with_layers) override;

  Result<Evaluation> Evaluate(const std::string& model, const EvaluateOptions& options) override;
  Result<SelfTestReport> SelfTest(const std::string& model,
                                  const SelfTestOptions& options) override;
  Result<CorrectedSamples> SampleCorrected(const std::string& model, const std::string& target,
                                           int64_t rows, const CorrectionOptions& options) override;

 private:
  // Hands the messages of one drawing to `take`.
  Status DrawSamples(const std::string& model, int64_t rows, const SampleOptions& options,
                     const std::function<Status(const v1::SampleResponse&)>& take);
  Status DrawPart(const v1::SampleRequest& request,
                  const std::function<Status(const v1::SampleResponse&)>& take);

  const Stubs stubs_;
  const ClientOptions options_;
};

}  // namespace sluice
