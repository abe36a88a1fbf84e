// Client: talks to a Sluice server.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/evaluation.h"
#include "sluice/result.h"
#include "sluice/types.h"

namespace sluice {

// How the server is known, and how it knows us. Files are PEM, read by Connect.
struct TlsOptions {
  std::string ca_file = {};    // Authorities to believe; empty: the system's.
  std::string cert_file = {};  // What we show of ourselves, where the server asks for it,
  std::string key_file = {};   // and its key.
  // The name that the server's certificate must hold; empty: that of the address.
  std::string server_name = {};
};

struct ClientOptions {
  // Of each unary call, and of the wait for each message of a stream, the time that
  // the caller takes for it not counted. Watching has none.
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
  // How long WatchTrainJob goes on trying to reach a server that went away.
  std::chrono::milliseconds reconnect_for = std::chrono::minutes(5);
  std::optional<TlsOptions> tls = std::nullopt;  // Absent: plaintext.
  // Who we are, where the server asks. Goes to another machine over TLS only, unless
  // `insecure`.
  std::string token = {};
  bool insecure = false;
  // The trace that the calls belong to, as IsTraceparent takes it; empty: none. The
  // server's log lines name it.
  std::string traceparent = {};
};

// Whether `text` is a W3C `traceparent` (version 00):
// https://www.w3.org/TR/trace-context/#traceparent-header
bool IsTraceparent(const std::string& text);

// Thread-safe. Chunks large arguments and results, and follows a watched job
// across lost connections and restarts of the server. Calls block. Ids are plain
// ("wow"), without the collection prefix.
class Client {
 public:
  // Never blocks and never fails: an address that does not answer shows in the
  // first call as UNAVAILABLE, options that cannot be used in every call as
  // INVALID_ARGUMENT. "host:port" or "unix:path".
  static std::unique_ptr<Client> Connect(const std::string& address, ClientOptions options = {});
  virtual ~Client() = default;

  struct Health {
    bool serving = false;
  };
  virtual Result<Health> CheckHealth() = 0;

  // --- the server as a whole
  // How the server is, and was in the last minute.
  virtual Result<Statistics> GetStatistics() = 0;
  struct BackupPart {
    std::string_view bytes;  // Of the file; none while the server makes its copy.
    int64_t done = 0;        // Bytes of `total` that are copied, or given with this part.
    int64_t total = 0;
  };
  // Hands over a file that holds all that the server keeps as it is now, for
  // `sluiced --restore`, in parts, in order. It is whole only when this is OK. A failed
  // Status of `on_part` ends the call and is the result.
  virtual Status Backup(const std::function<Status(const BackupPart&)>& on_part) = 0;

  // --- models
  struct CreateModelOptions {
    uint64_t seed = 0;
    std::string description;
    std::map<std::string, std::string> labels;
  };
  virtual Result<Model> CreateModel(const std::string& id, const FlowSpec& spec,
                                    const CreateModelOptions& options) = 0;
  virtual Result<Model> GetModel(const std::string& id) = 0;
  virtual Result<std::vector<Model>> ListModels() = 0;
  virtual Result<Model> UpdateModel(
      const std::string& id, const std::optional<std::string>& description,
      const std::optional<std::map<std::string, std::string>>& labels) = 0;
  virtual Status DeleteModel(const std::string& id) = 0;
  virtual Result<Version> GetVersion(const std::string& model) = 0;  // "wow@3"
  virtual Result<std::vector<Version>> ListVersions(const std::string& id) = 0;
  virtual Status DeleteVersion(const std::string& model) = 0;
  virtual Result<Model> SetAlias(const std::string& id, const std::string& alias,
                                 int64_t version) = 0;
  virtual Result<Model> DeleteAlias(const std::string& id, const std::string& alias) = 0;
  virtual Result<std::string> ExportModel(const std::string& model) = 0;  // File bytes.
  virtual Result<Model> ImportModel(const std::string& id, const std::string& file,
                                    const std::string& description) = 0;

  // --- datasets
  enum class FileFormat { kNpy, kCsv };
  virtual Result<Dataset> UploadFile(const std::string& id, std::istream& file, FileFormat format,
                                     const std::string& source, const std::string& description) = 0;
  virtual Result<Dataset> UploadRows(const std::string& id, const Matrix& rows,
                                     const std::string& source, const std::string& description) = 0;
  virtual Result<Dataset> GenerateDataset(const std::string& id, const std::string& toy,
                                          int64_t rows, uint64_t seed, std::optional<double> noise,
                                          const std::string& description) = 0;
  // Rows of a target as a dataset, by sequential Monte Carlo: modes far apart all get
  // their share. What to train on where reverse KL alone loses some.
  virtual Result<Dataset> DrawTarget(const std::string& id, const std::string& target, int64_t rows,
                                     uint64_t seed, const std::string& description) = 0;
  virtual Result<Matrix> DownloadDataset(const std::string& id) = 0;
  virtual Result<Dataset> GetDataset(const std::string& id) = 0;
  virtual Result<std::vector<Dataset>> ListDatasets() = 0;
  virtual Status DeleteDataset(const std::string& id) = 0;
  virtual Result<std::vector<Toy>> ListToys() = 0;

  // --- training
  struct TrainRequest {
    std::string job_id;  // Empty: the server makes one.
    std::string model;
    std::string dataset;  // One of the two.
    std::string target;
    std::string mixed_target;   // A target beside the dataset.
    std::string weight_column;  // Of the dataset, by name or number: weights of the rows.
    TrainConfig config;
    std::string request_id;  // Empty: the client makes one, so that a retry is safe.
  };
  virtual Result<TrainJob> CreateTrainJob(const TrainRequest& request) = 0;
  virtual Result<TrainJob> GetTrainJob(const std::string& id) = 0;
  virtual Result<std::vector<TrainJob>> ListTrainJobs(const std::string& model) = 0;  // "": all.
  virtual Result<TrainJob> CancelTrainJob(const std::string& id) = 0;
  virtual Result<TrainJob> PauseTrainJob(const std::string& id) = 0;
  virtual Result<TrainJob> ResumeTrainJob(const std::string& id) = 0;
  virtual Status DeleteTrainJob(const std::string& id) = 0;
  // Calls `on_update` for each update after `after_sequence`, in order, until the
  // job has ended (OK), `on_update` returns false (CANCELLED), or the server stays
  // away. Reconnects on its own; no update is given twice. `on_connection`, if there
  // is one, is called once when the server does not answer (any more) and is tried
  // again, and once when it answers again.
  enum class Connection { kLost, kBack };
  virtual Status WatchTrainJob(const std::string& id, int64_t after_sequence,
                               const std::function<bool(const TrainUpdate&)>& on_update,
                               const std::function<void(Connection)>& on_connection) = 0;
  Status WatchTrainJob(const std::string& id, int64_t after_sequence,
                       const std::function<bool(const TrainUpdate&)>& on_update) {
    return WatchTrainJob(id, after_sequence, on_update, nullptr);
  }
  virtual Result<std::vector<Target>> ListTargets() = 0;
  virtual Result<std::vector<double>> EvaluateTarget(const std::string& id, const Matrix& x) = 0;

  // --- inference; any number of rows. Those of a conditional model are x, or z, with
  // their context behind them (JoinColumns).
  virtual Result<LogProbs> LogProb(const std::string& model, const Matrix& x) = 0;
  struct SampleOptions {
    std::optional<uint64_t> seed;
    bool with_log_prob = false;
    int64_t first_row = 0;
    // Of conditional models: a row for each, or one for all.
    Matrix context = {};
  };
  virtual Result<Samples> Sample(const std::string& model, int64_t rows,
                                 const SampleOptions& options) = 0;
  // The same rows chunk by chunk, in order, in memory that does not grow with their
  // number. Each chunk has the version and the seed; no rows still make one chunk,
  // of no rows. A failed Status of `on_chunk` ends the call and is the result.
  virtual Status StreamSample(const std::string& model, int64_t rows, const SampleOptions& options,
                              const std::function<Status(const Samples&)>& on_chunk) = 0;
  virtual Result<Images> Transform(const std::string& model, Direction direction,
                                   const Matrix& points, bool with_layers) = 0;

  // --- how well a model fits
  struct EvaluateOptions {
    std::string dataset = {};  // One of the two.
    std::string target = {};
    int64_t rows = 0;   // Of the dataset, at most. 0: the server's default, here and below.
    int64_t draws = 0;  // Of the model; of a conditional one at the context of each row.
    uint64_t seed = 0;
    bool held_out = false;           // Only rows that the version's own training held out.
    std::string weight_column = {};  // Of the dataset, by name or number: rows by their weights.
    bool dequantize = false;         // Noise on the dataset's discrete columns, as in a training.
  };
  virtual Result<Evaluation> Evaluate(const std::string& model, const EvaluateOptions& options) = 0;
  struct SelfTestOptions {
    int64_t draws = 0;
    uint64_t seed = 0;
  };
  virtual Result<SelfTestReport> SelfTest(const std::string& model,
                                          const SelfTestOptions& options) = 0;
  struct CorrectionOptions {
    Correction method = Correction::kImportance;
    std::optional<uint64_t> seed = std::nullopt;
    int64_t draws = 0;                              // kResample: to choose from.
    int64_t chains = 0;                             // kMcmc.
    std::optional<int64_t> burn_in = std::nullopt;  // kMcmc: steps of each chain that are not kept.
  };
  // Draws of a target by way of a model, in one reply.
  virtual Result<CorrectedSamples> SampleCorrected(const std::string& model,
                                                   const std::string& target, int64_t rows,
                                                   const CorrectionOptions& options) = 0;
};

}  // namespace sluice
