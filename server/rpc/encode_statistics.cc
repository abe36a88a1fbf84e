#include "server/rpc/encode_statistics.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/observe/process_usage.h"
#include "server/rpc/encode_tensor.h"
#include "server/rpc/names.h"
#include "server/rpc/rpc.h"

namespace sluiced::rpc {
namespace {

constexpr size_t kMostModels = 50;

void EncodeMethods(const observe::Metrics& metrics, v1::Statistics* out) {
  for (size_t i = 0; i < metrics.methods().size(); ++i) {
    const observe::MethodMetrics::Totals totals = metrics.methods()[i]->Read();
    if (totals.calls == 0 && totals.in_flight == 0) continue;
    v1::MethodStatistics* method = out->add_methods();
    method->set_service(std::string(kRpcs[i].service));
    method->set_method(std::string(kRpcs[i].name));
    method->set_calls(totals.calls);
    method->set_errors(totals.failed);
    method->set_rows(totals.rows);
    method->set_in_flight(totals.in_flight);
    method->set_recent_calls(totals.recent.calls);
    method->set_recent_errors(totals.recent.failed);
    method->set_recent_rows(totals.recent.rows);
    method->set_p50_seconds(totals.recent.p50);
    method->set_p90_seconds(totals.recent.p90);
    method->set_p99_seconds(totals.recent.p99);
  }
}

void EncodeModels(const observe::ServerState& state, v1::Statistics* out) {
  int64_t bytes = 0;
  for (const observe::LoadedModelState& model : state.models) bytes += model.bytes;
  out->set_loaded_models(static_cast<int64_t>(state.models.size()));
  out->set_loaded_model_bytes(bytes);
  out->set_max_loaded_model_bytes(state.max_model_bytes);
  for (size_t i = 0; i < std::min(state.models.size(), kMostModels); ++i) {
    v1::LoadedModel* model = out->add_models();
    model->set_version(state.models[i].name);
    model->set_bytes(state.models[i].bytes);
  }
}

v1::JobCount EncodeCount(const observe::JobCount& count) {
  v1::JobState state = v1::JOB_STATE_UNSPECIFIED;
  v1::JobState_Parse(absl::StrCat("JOB_STATE_", count.state), &state);
  v1::JobCount out;
  out.set_state(state);
  out.set_count(count.count);
  return out;
}

void EncodeRunningJob(const observe::JobProgress& job, v1::RunningJob* out) {
  out->set_name(MakeName(kTrainJobs, job.id));
  out->set_model(MakeName(kModels, job.model));
  out->set_epoch(job.epoch);
  out->set_epochs(job.epochs);
  if (job.train_loss) out->set_train_loss(*job.train_loss);
  if (job.validation_loss) out->set_validation_loss(*job.validation_loss);
  if (job.best_loss) out->set_best_loss(*job.best_loss);
  out->set_rows_per_second(job.rows_per_second);
  out->set_seconds_left(job.seconds_left);
}

void EncodeState(const observe::ServerState& state, v1::Statistics* out) {
  for (const observe::QueueState& queue : state.queues) {
    v1::QueueStatistics* added = out->add_queues();
    added->set_queue(queue.name);
    added->set_waiting(queue.waiting);
    added->set_capacity(queue.capacity);
  }
  out->set_in_flight_bytes(state.in_flight_bytes);
  out->set_max_in_flight_bytes(state.max_in_flight_bytes);
  EncodeModels(state, out);
  out->set_job_bytes(state.job_bytes);
  out->set_max_job_bytes(state.max_job_bytes);
  for (const observe::JobCount& count : state.jobs) *out->add_jobs() = EncodeCount(count);
  for (const observe::JobCount& count : state.ended_jobs) {
    *out->add_ended_jobs() = EncodeCount(count);
  }
}

}  // namespace

void EncodeStatistics(observe::Metrics& metrics, absl::Time now, v1::Statistics* out) {
  out->set_version(metrics.build().version);
  EncodeTime(metrics.start_time(), out->mutable_start_time());
  EncodeTime(now, out->mutable_time());
  const absl::Duration window =
      std::min(absl::FromChrono(observe::LatencyWindow::Length()), now - metrics.start_time());
  out->set_window_seconds(absl::ToDoubleSeconds(window));
  EncodeMethods(metrics, out);
  EncodeState(metrics.State(), out);
  for (const observe::JobProgress& job : metrics.jobs().All()) {
    EncodeRunningJob(job, out->add_running_jobs());
  }
  const observe::ProcessUsage usage = observe::ReadProcessUsage();
  out->set_resident_bytes(usage.resident_bytes);
  out->set_open_files(usage.open_files);
  out->set_cpu_seconds(usage.cpu_seconds);
}

}  // namespace sluiced::rpc
