#include "server/server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "inference/open_inference.grpc.pb.h"
#include "server/access/access.h"
#include "server/access/address.h"
#include "server/common/machine_memory.h"
#include "server/common/status_macros.h"
#include "server/jobs/job_manager.h"
#include "server/jobs/retention.h"
#include "server/models/registry.h"
#include "server/observation.h"
#include "server/rpc/backup_service.h"
#include "server/rpc/dataset_service.h"
#include "server/rpc/evaluation_service.h"
#include "server/rpc/inference_service.h"
#include "server/rpc/model_service.h"
#include "server/rpc/open_inference_service.h"
#include "server/rpc/reflection_service.h"
#include "server/rpc/runtime.h"
#include "server/rpc/server_service.h"
#include "server/rpc/tls_credentials.h"
#include "server/rpc/training_service.h"
#include "server/serving/executor.h"
#include "server/store/sqlite_backup.h"
#include "server/store/sqlite_store.h"
#include "server/timed_store.h"
#include "server/train_memory.h"
#include "server/train_run.h"
#include "sluice/v1/backup.grpc.pb.h"
#include "sluice/v1/dataset.grpc.pb.h"
#include "sluice/v1/evaluation.grpc.pb.h"
#include "sluice/v1/inference.grpc.pb.h"
#include "sluice/v1/model.grpc.pb.h"
#include "sluice/v1/server.grpc.pb.h"
#include "sluice/v1/training.grpc.pb.h"

namespace sluiced {
namespace {

namespace v1 = ::sluice::v1;

constexpr std::chrono::seconds kGrace{10};
constexpr int kMaxPort = 65535;
constexpr int64_t kGrpcBytes = int64_t{512} << 20;  // Beside what calls hold.

// HOST:PORT or unix:PATH; gRPC would take a missing port for that of https.
absl::Status CheckAddress(absl::string_view address) {
  if (absl::StartsWith(address, "unix:") && address.size() > 5) return absl::OkStatus();
  const std::pair<absl::string_view, absl::string_view> parts = access::SplitAddress(address);
  int port = -1;
  const bool ok = !parts.first.empty() && absl::SimpleAtoi(parts.second, &port) && port >= 0 &&
                  port <= kMaxPort;
  if (ok) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("cannot listen on '", address, "': neither HOST:PORT nor unix:PATH"));
}

void SetConnectionOptions(const Keepalive& keepalive, grpc::ServerBuilder* builder) {
  // Two servers on one port would share its callers between them.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Clients may look every ten seconds whether a quiet watch still has a server, and
  // watchers that vanished without a word are let go.
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 9000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS,
                              static_cast<int>(keepalive.after.count()));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                              static_cast<int>(keepalive.timeout.count()));
}

std::shared_ptr<grpc::ServerCredentials> CredentialsFor(const access::Access& access) {
  if (access.tls() == nullptr) return grpc::InsecureServerCredentials();
  return rpc::TlsCredentials(access.tls());
}

serving::BatcherOptions BatcherOptionsOf(const Config& config, observe::Metrics* metrics) {
  return {.max_rows = config.max_batch_rows,
          .delay = absl::Microseconds(config.batch_delay_us),
          .max_waiting = config.max_queued_calls,
          .on_batch = [metrics](int64_t calls, int64_t rows) { metrics->CountBatch(calls, rows); }};
}

jobs::RetentionOptions RetentionOf(const Config& config) {
  jobs::RetentionOptions options;
  options.keep_updates = config.keep_updates;
  if (config.keep_ended_jobs > 0) options.keep_ended = absl::Hours(24 * config.keep_ended_jobs);
  options.on_error = [](const absl::Status& status) {
    spdlog::warn("what is kept of ended jobs could not be removed, and will be tried again: {}",
                 std::string(status.message()));
  };
  return options;
}

// Its errors name the flag.
absl::Status Restore(const Config& config) {
  if (config.restore.empty()) return absl::OkStatus();
  spdlog::info("restoring {} into {}", config.restore, config.data_dir);
  const absl::Status restored = store::RestoreSqliteBackup(config.data_dir, config.restore);
  if (restored.ok()) return restored;
  return absl::Status(restored.code(),
                      absl::StrCat("--restore ", config.restore, ": ", restored.message()));
}

class GrpcServer : public Server {
 public:
  GrpcServer(const Config& config, std::unique_ptr<access::Access> access,
             std::unique_ptr<store::Store> store, Observation observation)
      : metrics_(std::move(observation.metrics)),
        access_(std::move(access)),
        store_(MakeTimedStore(std::move(store), metrics_.get())),
        evaluations_("evaluation", config.threads, config.max_queued_calls),
        generations_("generation", 1, config.max_queued_calls),
        compute_("compute", config.threads, config.max_queued_calls),
        io_("storage", config.io_threads, config.max_queued_calls),
        batcher_(&compute_, BatcherOptionsOf(config, metrics_.get())),
        bytes_(config.limits.in_flight_bytes, "bytes", "BYTES_IN_FLIGHT"),
        rows_(config.limits.in_flight_rows, "rows", "ROWS_IN_FLIGHT"),
        registry_(models::Registry::Create(store_.get(), {.max_waiting = config.max_queued_calls,
                                                          .max_bytes = config.model_bytes})),
        http_(std::move(observation.http)) {}

  ~GrpcServer() override {
    if (server_) server_->Shutdown(std::chrono::system_clock::now());
  }

  absl::Status StartJobs(const Config& config) {
    jobs::Options options;
    options.max_running = config.max_running_jobs;
    options.max_queued = config.max_queued_jobs;
    options.keep_updates = config.keep_updates;
    options.max_memory = config.job_bytes > 0 ? config.job_bytes : MachineMemory() / 2;
    options.memory_of = [this](const jobs::JobRecord& job) {
      return TrainMemory(store_.get(), job);
    };
    options.on_published = [this](const std::string& model, int64_t) { registry_->Refresh(model); };
    options.encode_error = EncodeTrainError;
    ASSIGN_OR_RETURN(
        jobs_, jobs::JobManager::Create(
                   store_.get(),
                   MakeTrainRun(store_.get(), registry_.get(), &metrics_->jobs(), config.train_run),
                   options));
    metrics_->SetState([parts = Parts{compute_, io_, evaluations_, generations_, batcher_, bytes_,
                                      rows_, *registry_, *jobs_}] { return StateOf(parts); });
    retention_ = std::make_unique<jobs::Retention>(store_.get(), RetentionOf(config));
    return absl::OkStatus();
  }

  absl::Status Listen(const Config& config) {
    MakeServices(config);
    grpc::EnableDefaultHealthCheckService(true);
    credentials_ = CredentialsFor(*access_);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(config.listen, credentials_, &port_);
    builder.SetMaxReceiveMessageSize(static_cast<int>(config.limits.message_bytes));
    builder.SetMaxSendMessageSize(-1);
    SetConnectionOptions(config.keepalive, &builder);
    // The last defence, of gRPC's own buffers: beyond it calls are reset, without details.
    builder.SetResourceQuota(grpc::ResourceQuota("sluiced").Resize(
        static_cast<size_t>(config.limits.in_flight_bytes + kGrpcBytes)));
    for (const auto& service : services_) builder.RegisterService(service.get());
    server_ = builder.BuildAndStart();
    if (!server_ || (port_ == 0 && !absl::StartsWith(config.listen, "unix:"))) {
      return absl::UnavailableError(absl::StrCat("cannot listen on ", config.listen,
                                                 ": no such address, or another process has it"));
    }
    for (const char* service :
         {v1::ModelService::service_full_name(), v1::DatasetService::service_full_name(),
          v1::TrainingService::service_full_name(), v1::InferenceService::service_full_name(),
          v1::ServerService::service_full_name(), v1::BackupService::service_full_name(),
          v1::EvaluationService::service_full_name(),
          inference::GRPCInferenceService::service_full_name()}) {
      server_->GetHealthCheckService()->SetServingStatus(service, true);
    }
    metrics_->SetReady(true);
    return absl::OkStatus();
  }

  int port() const override { return port_; }
  int metrics_port() const override { return http_ == nullptr ? 0 : http_->port(); }
  serving::Executor& compute() override { return compute_; }
  observe::Metrics& metrics() override { return *metrics_; }

  void Drain() override {
    RefuseNewCalls();
    jobs_->Drain();
    server_->Shutdown(std::chrono::system_clock::now() + kGrace);
    server_->Wait();
  }

  void RefuseNewCalls() override {
    draining_.store(true, std::memory_order_release);
    metrics_->SetReady(false);
    server_->GetHealthCheckService()->Shutdown();
  }

 private:
  void MakeServices(const Config& config) {
    const rpc::Runtime runtime{.store = store_.get(),
                               .registry = registry_.get(),
                               .jobs = jobs_.get(),
                               .compute = &compute_,
                               .batcher = &batcher_,
                               .io = &io_,
                               .evaluations = &evaluations_,
                               .generations = &generations_,
                               .evaluation_nice = config.train_run.nice,
                               .limits = config.limits,
                               .bytes = &bytes_,
                               .rows = &rows_,
                               .access = access_.get(),
                               .metrics = metrics_.get(),
                               .draining = &draining_};
    services_.push_back(rpc::MakeModelService(runtime));
    services_.push_back(rpc::MakeDatasetService(runtime));
    services_.push_back(rpc::MakeTrainingService(runtime));
    services_.push_back(rpc::MakeInferenceService(runtime));
    services_.push_back(rpc::MakeEvaluationService(runtime));
    services_.push_back(rpc::MakeBackupService(runtime));
    services_.push_back(rpc::MakeOpenInferenceService(runtime));
    services_.push_back(rpc::MakeServerService(runtime));
    services_.push_back(rpc::MakeReflectionService(runtime));
  }

  // In the order of their dependence: the last goes first. The threads of the registry
  // and of the jobs pass calls on to the executors.
  std::unique_ptr<observe::Metrics> metrics_;
  std::unique_ptr<access::Access> access_;
  std::unique_ptr<store::Store> store_;
  std::atomic<bool> draining_ = false;
  serving::Executor evaluations_;
  serving::Executor generations_;
  serving::Executor compute_;
  serving::Executor io_;
  serving::Batcher batcher_;
  serving::Budget bytes_, rows_;
  std::unique_ptr<models::Registry> registry_;
  std::unique_ptr<jobs::JobManager> jobs_;
  std::unique_ptr<jobs::Retention> retention_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  std::unique_ptr<observe::MetricsHttp> http_;
};

absl::StatusOr<std::unique_ptr<access::Access>> OpenAccess(const Config& config) {
  RETURN_IF_ERROR(CheckAddress(config.listen));
  RETURN_IF_ERROR(access::CheckListen(config.listen, config.access));
  return access::Access::Open(config.access);
}

absl::StatusOr<std::unique_ptr<Server>> StartWith(const Config& config,
                                                  std::unique_ptr<access::Access> access,
                                                  std::unique_ptr<store::Store> store,
                                                  Observation observation) {
  auto server = std::make_unique<GrpcServer>(config, std::move(access), std::move(store),
                                             std::move(observation));
  RETURN_IF_ERROR(server->StartJobs(config));
  RETURN_IF_ERROR(server->Listen(config));
  return server;
}

}  // namespace

absl::Status CheckConfig(const Config& config) {
  RETURN_IF_ERROR(OpenAccess(config).status());
  return CheckMetricsListen(config.metrics_listen, config.access.insecure);
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Config& config) {
  // First, so that a server that may not start leaves nothing behind.
  ASSIGN_OR_RETURN(std::unique_ptr<access::Access> access, OpenAccess(config));
  // Before the store, whose opening may take long: who looks sees that it is not ready.
  ASSIGN_OR_RETURN(Observation observation, Observe(config.metrics_listen, config.access.insecure));
  RETURN_IF_ERROR(Restore(config));
  ASSIGN_OR_RETURN(std::unique_ptr<store::Store> store, store::OpenSqliteStore(config.data_dir));
  return StartWith(config, std::move(access), std::move(store), std::move(observation));
}

absl::StatusOr<std::unique_ptr<Server>> Server::StartOver(std::unique_ptr<store::Store> store,
                                                          const Config& config) {
  ASSIGN_OR_RETURN(std::unique_ptr<access::Access> access, OpenAccess(config));
  ASSIGN_OR_RETURN(Observation observation, Observe(config.metrics_listen, config.access.insecure));
  return StartWith(config, std::move(access), std::move(store), std::move(observation));
}

}  // namespace sluiced
