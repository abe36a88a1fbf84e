#include "client/src/decode.h"
#include "client/src/names.h"
#include "client/src/times.h"

namespace sluice {
namespace {

MethodStatistics DecodeMethod(const v1::MethodStatistics& in) {
  MethodStatistics out;
  out.service = in.service();
  out.method = in.method();
  out.calls = in.calls();
  out.errors = in.errors();
  out.rows = in.rows();
  out.in_flight = in.in_flight();
  out.recent_calls = in.recent_calls();
  out.recent_errors = in.recent_errors();
  out.recent_rows = in.recent_rows();
  out.p50_seconds = in.p50_seconds();
  out.p90_seconds = in.p90_seconds();
  out.p99_seconds = in.p99_seconds();
  return out;
}

RunningJob DecodeRunningJob(const v1::RunningJob& in) {
  RunningJob out;
  out.id = IdOf("trainJobs/", in.name());
  out.model = IdOf("models/", in.model());
  out.epoch = in.epoch();
  out.epochs = in.epochs();
  if (in.has_train_loss()) out.train_loss = in.train_loss();
  if (in.has_validation_loss()) out.validation_loss = in.validation_loss();
  if (in.has_best_loss()) out.best_loss = in.best_loss();
  out.rows_per_second = in.rows_per_second();
  out.seconds_left = in.seconds_left();
  return out;
}

template <typename Counts>
std::map<JobState, int64_t> DecodeCounts(const Counts& in) {
  std::map<JobState, int64_t> out;
  for (const v1::JobCount& count : in) out[DecodeState(count.state())] += count.count();
  return out;
}

}  // namespace

Statistics DecodeStatistics(const v1::Statistics& in) {
  Statistics out;
  out.server_version = in.version();
  out.start_time = DecodeTime(in.start_time());
  out.time = DecodeTime(in.time());
  out.window_seconds = in.window_seconds();
  for (const v1::MethodStatistics& method : in.methods()) {
    out.methods.push_back(DecodeMethod(method));
  }
  for (const v1::QueueStatistics& queue : in.queues()) {
    out.queues.push_back({queue.queue(), queue.waiting(), queue.capacity()});
  }
  out.in_flight_bytes = in.in_flight_bytes();
  out.max_in_flight_bytes = in.max_in_flight_bytes();
  out.loaded_models = in.loaded_models();
  out.loaded_model_bytes = in.loaded_model_bytes();
  out.max_loaded_model_bytes = in.max_loaded_model_bytes();
  out.job_bytes = in.job_bytes();
  out.max_job_bytes = in.max_job_bytes();
  for (const v1::LoadedModel& model : in.models()) {
    out.models.push_back({model.version(), model.bytes()});
  }
  out.jobs = DecodeCounts(in.jobs());
  out.ended_jobs = DecodeCounts(in.ended_jobs());
  for (const v1::RunningJob& job : in.running_jobs()) {
    out.running_jobs.push_back(DecodeRunningJob(job));
  }
  out.resident_bytes = in.resident_bytes();
  out.open_files = in.open_files();
  out.cpu_seconds = in.cpu_seconds();
  return out;
}

}  // namespace sluice
