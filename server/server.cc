#include "server/server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

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
#include "server/common/status_macros.h"
#include "server/jobs/job_manager.h"
#include "server/models/registry.h"
#include "server/rpc/dataset_service.h"
#include "server/rpc/inference_service.h"
#include "server/rpc/model_service.h"
#include "server/rpc/open_inference_service.h"
#include "server/rpc/reflection_service.h"
#include "server/rpc/runtime.h"
#include "server/rpc/tls_credentials.h"
#include "server/rpc/training_service.h"
#include "server/serving/executor.h"
#include "server/store/sqlite_store.h"
#include "server/train_run.h"
#include "sluice/v1/dataset.grpc.pb.h"
#include "sluice/v1/inference.grpc.pb.h"
#include "sluice/v1/model.grpc.pb.h"
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

void SetConnectionOptions(grpc::ServerBuilder* builder) {
  // Two servers on one port would share its callers between them.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Clients may look every ten seconds whether a quiet watch still has a server, and
  // watchers that vanished without a word are let go.
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 9000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20000);
}

std::shared_ptr<grpc::ServerCredentials> CredentialsFor(const access::Access& access) {
  if (access.tls() == nullptr) return grpc::InsecureServerCredentials();
  return rpc::TlsCredentials(access.tls());
}

serving::BatcherOptions BatcherOptionsOf(const Config& config) {
  return {.max_rows = config.max_batch_rows,
          .delay = absl::Microseconds(config.batch_delay_us),
          .max_waiting = config.max_queued_calls};
}

class GrpcServer : public Server {
 public:
  GrpcServer(const Config& config, std::unique_ptr<access::Access> access,
             std::unique_ptr<store::Store> store)
      : access_(std::move(access)),
        store_(std::move(store)),
        compute_("compute", config.threads, config.max_queued_calls),
        io_("storage", config.io_threads, config.max_queued_calls),
        batcher_(&compute_, BatcherOptionsOf(config)),
        bytes_(config.limits.in_flight_bytes, "bytes"),
        rows_(config.limits.in_flight_rows, "rows"),
        registry_(models::Registry::Create(store_.get(), {.max_waiting = config.max_queued_calls,
                                                          .max_bytes = config.model_bytes})) {}

  ~GrpcServer() override {
    if (server_) server_->Shutdown(std::chrono::system_clock::now());
  }

  absl::Status StartJobs(const Config& config) {
    jobs::Options options;
    options.max_running = config.max_running_jobs;
    options.max_queued = config.max_queued_jobs;
    options.on_published = [this](const std::string& model, int64_t) { registry_->Refresh(model); };
    options.encode_error = EncodeTrainError;
    ASSIGN_OR_RETURN(
        jobs_,
        jobs::JobManager::Create(
            store_.get(), MakeTrainRun(store_.get(), registry_.get(), config.train_run), options));
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
    SetConnectionOptions(&builder);
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
          inference::GRPCInferenceService::service_full_name()}) {
      server_->GetHealthCheckService()->SetServingStatus(service, true);
    }
    return absl::OkStatus();
  }

  int port() const override { return port_; }
  serving::Executor& compute() override { return compute_; }

  void Drain() override {
    RefuseNewCalls();
    jobs_->Drain();
    server_->Shutdown(std::chrono::system_clock::now() + kGrace);
    server_->Wait();
  }

  void RefuseNewCalls() override {
    draining_.store(true, std::memory_order_release);
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
                               .limits = config.limits,
                               .bytes = &bytes_,
                               .rows = &rows_,
                               .access = access_.get(),
                               .draining = &draining_};
    services_.push_back(rpc::MakeModelService(runtime));
    services_.push_back(rpc::MakeDatasetService(runtime));
    services_.push_back(rpc::MakeTrainingService(runtime));
    services_.push_back(rpc::MakeInferenceService(runtime));
    services_.push_back(rpc::MakeOpenInferenceService(runtime));
    services_.push_back(rpc::MakeReflectionService(runtime));
  }

  // In the order of their dependence: the last goes first. The threads of the registry
  // and of the jobs pass calls on to the executors.
  std::unique_ptr<access::Access> access_;
  std::unique_ptr<store::Store> store_;
  std::atomic<bool> draining_ = false;
  serving::Executor compute_;
  serving::Executor io_;
  serving::Batcher batcher_;
  serving::Budget bytes_, rows_;
  std::unique_ptr<models::Registry> registry_;
  std::unique_ptr<jobs::JobManager> jobs_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

absl::StatusOr<std::unique_ptr<access::Access>> OpenAccess(const Config& config) {
  RETURN_IF_ERROR(CheckAddress(config.listen));
  RETURN_IF_ERROR(access::CheckListen(config.listen, config.access));
  return access::Access::Open(config.access);
}

absl::StatusOr<std::unique_ptr<Server>> StartWith(const Config& config,
                                                  std::unique_ptr<access::Access> access,
                                                  std::unique_ptr<store::Store> store) {
  auto server = std::make_unique<GrpcServer>(config, std::move(access), std::move(store));
  RETURN_IF_ERROR(server->StartJobs(config));
  RETURN_IF_ERROR(server->Listen(config));
  return server;
}

}  // namespace

absl::Status CheckConfig(const Config& config) { return OpenAccess(config).status(); }

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Config& config) {
  // First, so that a server that may not start leaves nothing behind.
  ASSIGN_OR_RETURN(std::unique_ptr<access::Access> access, OpenAccess(config));
  ASSIGN_OR_RETURN(std::unique_ptr<store::Store> store, store::OpenSqliteStore(config.data_dir));
  return StartWith(config, std::move(access), std::move(store));
}

absl::StatusOr<std::unique_ptr<Server>> Server::StartOver(std::unique_ptr<store::Store> store,
                                                          const Config& config) {
  ASSIGN_OR_RETURN(std::unique_ptr<access::Access> access, OpenAccess(config));
  return StartWith(config, std::move(access), std::move(store));
}

}  // namespace sluiced
