// The plain types of Sluice's client library: no gRPC, Protobuf or LibTorch.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

enum class DType { kFloat32, kFloat64 };

// Rows of numbers, row-major. Values are held as double whatever the dtype on the
// wire: float32 survives the round trip exactly.
struct Matrix {
  int64_t rows = 0;
  int64_t cols = 0;
  std::vector<double> values;  // rows * cols
  DType dtype = DType::kFloat32;

  double operator()(int64_t row, int64_t col) const {
    return values[static_cast<size_t>(row * cols + col)];
  }
};

// The columns of `right` behind those of `left`, its one row behind every row: x and
// its context, as conditional models take them. Empty when the rows do not match.
Matrix JoinColumns(const Matrix& left, const Matrix& right);

using Time = std::chrono::system_clock::time_point;

enum class Initialization { kIdentity, kUniform };
// What computes a flow: the server's own kernels, or LibTorch.
enum class Executor { kAuto, kEngine, kTorch };
const char* NameOf(Executor executor);  // "engine"

enum class Mixing { kAlternate, kPermute, kLu };
enum class Base { kNormal, kDiagonal, kMixture, kStudentT, kUniform };
enum class Support { kReal, kPositive, kInterval, kPeriodic };
const char* NameOf(Mixing mixing);    // "lu"
const char* NameOf(Base base);        // "student-t"
const char* NameOf(Support support);  // "interval"

// Where the values of one column of x lie.
struct Column {
  int64_t index = 0;
  Support support = Support::kReal;
  double low = 0, high = 0;  // Of intervals and periodic columns.
};

// Unset fields take the server's defaults (see sluice/v1/flow.proto).
struct FlowSpec {
  std::string architecture = "real-nvp";
  int64_t dim = 0;
  int64_t layers = 0;  // 0: the server's default, here and below.
  int64_t hidden = 0;
  int64_t depth = 0;
  DType dtype = DType::kFloat32;
  std::optional<double> scale_bound;
  std::optional<bool> standardize;
  std::optional<Initialization> initialization;
  Executor executor = Executor::kAuto;
  int64_t context_dim = 0;
  Base base = Base::kNormal;
  int64_t components = 0;
  std::optional<double> degrees_of_freedom;
  std::vector<Column> columns;  // Those that are not real.
  Mixing mixing = Mixing::kAlternate;
  std::optional<bool> act_norm;  // Unset: of splines true, unless the base is uniform.
  int64_t bins = 0;
  std::optional<double> bound;
};

struct Model {
  std::string id;
  FlowSpec spec;
  std::string description;
  std::map<std::string, std::string> labels;
  Time create_time;
  int64_t latest_version = 0;
  std::map<std::string, int64_t> aliases;
  int64_t parameter_count = 0;
  std::vector<std::string> warnings;
  Executor executor = Executor::kAuto;  // What runs it on the server.
};

struct Version {
  std::string model;
  int64_t number = 0;
  FlowSpec spec;
  Time create_time;
  std::map<std::string, double> metrics;
  std::string train_job;
  std::string source;
  std::string dataset_hash;
  uint64_t seed = 0;
  std::vector<double> shift, scale;
};

struct Dataset {
  std::string id;
  int64_t rows = 0;
  int64_t columns = 0;
  DType dtype = DType::kFloat32;
  std::vector<std::string> column_names;
  std::string source, hash, description;
  Time create_time;
  std::vector<double> mean, stddev, min, max;
  std::vector<std::string> notes;
};

struct Toy {
  std::string name;
  int64_t columns = 0;
  std::string description;
};

struct Target {
  std::string id;
  int64_t dim = 0;
  std::optional<double> log_z;
  std::string description;
  std::vector<double> low, high;
};

enum class JobState { kQueued, kRunning, kPaused, kCancelling, kSucceeded, kFailed, kCancelled };
const char* NameOf(JobState state);  // "QUEUED"
bool IsTerminal(JobState state);

enum class Optimizer { kAdam, kAdamW };
enum class Schedule { kConstant, kCosine, kSteps, kStages };

struct Stage {
  int64_t epochs = 0;
  double learning_rate = 0;
};

// What to do with columns on which a likelihood grows without bound.
enum class Degenerate { kRefuse, kDequantize, kAllow };
const char* NameOf(Degenerate degenerate);  // "dequantize"

// Unset or zero fields take the server's defaults (see sluice/v1/training.proto).
struct TrainConfig {
  int64_t epochs = 0;
  int64_t batch_size = 0;
  Optimizer optimizer = Optimizer::kAdam;
  std::optional<double> learning_rate, beta1, beta2, epsilon;
  double weight_decay = 0;
  std::optional<Schedule> schedule;
  std::vector<Stage> stages;
  int64_t step_epochs = 0;
  std::optional<double> step_factor, final_learning_rate, clip_norm;
  uint64_t seed = 0;
  std::optional<double> validation_fraction;
  int64_t patience = 0;
  std::optional<bool> shuffle;
  bool publish_last = false;
  int64_t rows = 0;
  bool fixed_draws = false;
  bool drop_score = false;
  std::string continue_from;  // Job id.
  int64_t snapshots = 0;      // -1: none.
  Degenerate degenerate = Degenerate::kRefuse;
  std::string start_from;  // A version of the same flow, "wow@3".
  std::optional<double> target_weight, anneal_from;
  int64_t anneal_epochs = 0;
};

struct TrainUpdate {
  int64_t sequence = 0;
  Time time;
  JobState state = JobState::kQueued;
  int attempt = 0;
  std::string message;
  int64_t epoch = 0, epochs = 0, step = 0;
  std::optional<double> train_loss, validation_loss, best_loss;
  int64_t best_epoch = 0;
  double learning_rate = 0, gradient_norm = 0, rows_per_second = 0, seconds_left = 0;
  std::optional<double> kl, log_z_estimate, log_z_error, ess_fraction, log_z_known;
};

struct TrainJob {
  std::string id;
  std::string model;          // Model id.
  std::string dataset;        // Dataset id, or
  std::string target;         // target id.
  std::string mixed_target;   // Target id, beside a dataset.
  std::string weight_column;  // Of the dataset.
  TrainConfig config;
  JobState state = JobState::kQueued;
  int attempt = 0;
  Time create_time;
  std::optional<Time> start_time, end_time;
  std::string error;
  std::optional<int64_t> version;  // What it published.
  int64_t last_sequence = 0;
  std::optional<TrainUpdate> last_update;
  std::optional<TrainUpdate> last_epoch;  // The last update of an epoch.
  std::vector<int64_t> snapshot_epochs;
  int64_t queue_position = 0;
};

// `model` in every inference call: "wow" (latest version), "wow@3", "wow@alias",
// or "JOB#EPOCH" for a train job's snapshot.
struct LogProbs {
  std::vector<double> log_prob;  // -inf where not finite.
  std::string version;           // "models/wow/versions/3"
  int64_t not_finite = 0;        // Rows of which the result was not finite.
};

struct Samples {
  Matrix x;
  std::vector<double> log_prob;  // When asked for.
  std::string version;
  uint64_t seed = 0;
  int64_t not_finite = 0;
};

struct MethodStatistics {
  std::string service;                      // "sluice.v1.InferenceService"
  std::string method;                       // "LogProb"
  int64_t calls = 0, errors = 0, rows = 0;  // Since the server started.
  int64_t in_flight = 0;
  int64_t recent_calls = 0, recent_errors = 0, recent_rows = 0;  // In the last minute.
  double p50_seconds = 0, p90_seconds = 0, p99_seconds = 0;      // Likewise.
};

struct QueueStatistics {
  std::string queue;  // "compute"
  int64_t waiting = 0, capacity = 0;
};

struct LoadedModel {
  std::string version;  // "models/wow/versions/3"
  int64_t bytes = 0;    // About.
};

struct RunningJob {
  std::string id;
  std::string model;  // Model id.
  int64_t epoch = 0, epochs = 0;
  std::optional<double> train_loss, validation_loss, best_loss;
  double rows_per_second = 0, seconds_left = 0;
};

struct Statistics {
  std::string server_version;
  Time start_time, time;                  // By the server's clock.
  double window_seconds = 0;              // How long the last minute is.
  std::vector<MethodStatistics> methods;  // Those that were called.
  std::vector<QueueStatistics> queues;
  int64_t in_flight_bytes = 0, max_in_flight_bytes = 0;
  int64_t loaded_models = 0, loaded_model_bytes = 0, max_loaded_model_bytes = 0;
  int64_t job_bytes = 0, max_job_bytes = 0;  // Of running train jobs; about.
  std::vector<LoadedModel> models;           // The latest used.
  std::map<JobState, int64_t> jobs;          // That have not ended.
  std::map<JobState, int64_t> ended_jobs;    // Since the server started.
  std::vector<RunningJob> running_jobs;
  int64_t resident_bytes = 0, open_files = 0;
  double cpu_seconds = 0;
};

enum class Direction { kToBase, kFromBase };

struct Images {
  Matrix points;
  std::vector<double> ladj;
  std::vector<Matrix> layers;  // When asked for, in the order applied.
  std::string version;
  int64_t not_finite = 0;
};

}  // namespace sluice
