#include "server/observation.h"

#include <grpcpp/grpcpp.h>
#include <spdlog/spdlog.h>

#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/access/address.h"
#include "server/common/status_macros.h"
#include "server/engine/simd_target.h"
#include "server/jobs/job_manager.h"
#include "server/jobs/job_state.h"
#include "server/models/registry.h"
#include "server/rpc/rpc.h"

namespace sluiced {
namespace {

absl::Status CheckListen(const std::string& listen, bool insecure) {
  if (insecure || access::IsLocal(listen)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("will not serve metrics on ", listen,
                   ", which other machines may reach: anybody could read there, in plaintext, how "
                   "much is asked and what trains. Give --metrics-listen an address of this "
                   "machine, or say --insecure where something else keeps strangers out"));
}

std::unique_ptr<observe::Metrics> MakeMetrics() {
  std::vector<std::string> methods;
  for (const rpc::RpcInfo& rpc : rpc::kRpcs) methods.emplace_back(rpc.name);
  return std::make_unique<observe::Metrics>(
      methods, observe::BuildInfo{.version = SLUICE_VERSION,
                                  .torch = SLUICE_TORCH_VERSION,
                                  .grpc = grpc::Version(),
                                  .simd = std::string(engine::SimdTargets().front().name)});
}

std::vector<observe::JobCount> CountsOf(const std::map<store::JobState, int64_t>& counts) {
  std::vector<observe::JobCount> all;
  for (const auto& [state, count] : counts) {
    all.push_back({std::string(jobs::NameOf(state)), count});
  }
  return all;
}

observe::QueueState QueueOf(const std::string& name, const serving::Executor& executor) {
  return {.name = name,
          .waiting = static_cast<int64_t>(executor.queued()),
          .capacity = static_cast<int64_t>(executor.max_queued())};
}

}  // namespace

absl::Status CheckMetricsListen(const std::string& listen, bool insecure) {
  if (listen.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(observe::MetricsHttp::CheckAddress(listen));
  return CheckListen(listen, insecure);
}

absl::StatusOr<Observation> Observe(const std::string& listen, bool insecure) {
  Observation observation{MakeMetrics(), nullptr};
  RETURN_IF_ERROR(CheckMetricsListen(listen, insecure));
  if (listen.empty()) return observation;
  ASSIGN_OR_RETURN(observation.http,
                   observe::MetricsHttp::Start(listen, observation.metrics.get()));
  spdlog::info("metrics are on http://{}:{}/metrics", listen.substr(0, listen.rfind(':')),
               observation.http->port());
  return observation;
}

observe::ServerState StateOf(const Parts& parts) {
  observe::ServerState state;
  const models::Registry::Usage usage = parts.registry.GetUsage();
  const jobs::JobManager::Counts counts = parts.jobs.Count();
  state.queues = {
      QueueOf("compute", parts.compute),
      {"batches", static_cast<int64_t>(parts.batcher.waiting()),
       static_cast<int64_t>(parts.batcher.max_waiting())},
      QueueOf("storage", parts.io),
      QueueOf("evaluation", parts.evaluations),
      QueueOf("generation", parts.generations),
      {"model_loads", static_cast<int64_t>(usage.waiting), static_cast<int64_t>(usage.max_waiting)},
      {"jobs", counts.queued, counts.max_queued}};
  state.in_flight_bytes = parts.bytes.held();
  state.max_in_flight_bytes = parts.bytes.amount();
  state.in_flight_rows = parts.rows.held();
  state.max_in_flight_rows = parts.rows.amount();
  for (const models::LoadedModel& model : usage.loaded) {
    state.models.push_back({model.name, model.bytes});
  }
  state.max_model_bytes = usage.max_bytes;
  state.job_bytes = counts.memory;
  state.max_job_bytes = counts.max_memory;
  state.jobs = CountsOf(counts.unfinished);
  state.ended_jobs = CountsOf(counts.ended);
  return state;
}

}  // namespace sluiced
