#include "server/observe/state_families.h"

#include <optional>

#include "absl/strings/ascii.h"

namespace sluiced::observe {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

MetricFamily Gauges(const std::string& name, const std::string& help) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = MetricType::Gauge;
  return family;
}

MetricFamily Counters(const std::string& name, const std::string& help) {
  MetricFamily family = Gauges(name, help);
  family.type = MetricType::Counter;
  return family;
}

void Put(MetricFamily* family, double value, Labels labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  if (family->type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family->metric.push_back(std::move(metric));
}

MetricFamily One(MetricFamily family, double value) {
  Put(&family, value);
  return family;
}

// Each state a label, in lower case like the other words.
MetricFamily ByState(MetricFamily family, const std::vector<JobCount>& counts) {
  for (const JobCount& count : counts) {
    Put(&family, static_cast<double>(count.count), {{"state", absl::AsciiStrToLower(count.state)}});
  }
  return family;
}

int64_t BytesOf(const std::vector<LoadedModelState>& models) {
  int64_t bytes = 0;
  for (const LoadedModelState& model : models) bytes += model.bytes;
  return bytes;
}

// What one job may say, as a number or not at all.
using JobValue = std::optional<double> (*)(const JobProgress& job);

struct JobMetric {
  const char* name;
  const char* help;
  JobValue value;
};

constexpr JobMetric kJobMetrics[] = {
    {"sluice_job_epoch", "Epochs that a running job has trained",
     [](const JobProgress& job) { return std::optional<double>(job.epoch); }},
    {"sluice_job_epochs", "Epochs that a running job is to train",
     [](const JobProgress& job) { return std::optional<double>(job.epochs); }},
    {"sluice_job_train_loss", "Training loss of a running job's last epoch, nats",
     [](const JobProgress& job) { return job.train_loss; }},
    {"sluice_job_validation_loss", "Loss on held-out rows after a running job's last epoch, nats",
     [](const JobProgress& job) { return job.validation_loss; }},
    {"sluice_job_rows_per_second", "Rows that a running job trains on a second",
     [](const JobProgress& job) { return std::optional<double>(job.rows_per_second); }},
    {"sluice_job_remaining_seconds", "Time that a running job still takes, as it expects",
     [](const JobProgress& job) { return std::optional<double>(job.seconds_left); }},
};

}  // namespace

MetricFamilies FamiliesOf(const ServerState& state) {
  MetricFamily waiting = Gauges("sluice_queue_length", "Pieces of work that wait for a thread");
  MetricFamily capacity = Gauges("sluice_queue_capacity", "How many may wait");
  for (const QueueState& queue : state.queues) {
    Put(&waiting, static_cast<double>(queue.waiting), {{"queue", queue.name}});
    Put(&capacity, static_cast<double>(queue.capacity), {{"queue", queue.name}});
  }
  return {
      std::move(waiting),
      std::move(capacity),
      One(Gauges("sluice_in_flight_bytes", "Bytes of requests that are not answered yet"),
          static_cast<double>(state.in_flight_bytes)),
      One(Gauges("sluice_in_flight_limit_bytes", "How many bytes these may be"),
          static_cast<double>(state.max_in_flight_bytes)),
      One(Gauges("sluice_in_flight_rows", "Rows that are waited for"),
          static_cast<double>(state.in_flight_rows)),
      One(Gauges("sluice_in_flight_limit_rows", "How many rows these may be"),
          static_cast<double>(state.max_in_flight_rows)),
      One(Gauges("sluice_models_loaded", "Model versions that are loaded"),
          static_cast<double>(state.models.size())),
      One(Gauges("sluice_models_loaded_bytes", "Memory of the loaded model versions, about"),
          static_cast<double>(BytesOf(state.models))),
      One(Gauges("sluice_jobs_bytes", "Memory of the running train jobs, about"),
          static_cast<double>(state.job_bytes)),
      One(Gauges("sluice_jobs_limit_bytes", "How much memory these may hold"),
          static_cast<double>(state.max_job_bytes)),
      ByState(Gauges("sluice_jobs", "Train jobs that have not ended, by state"), state.jobs),
      ByState(Counters("sluice_jobs_ended_total", "Train jobs that have ended since the start"),
              state.ended_jobs),
  };
}

MetricFamilies FamiliesOf(const std::vector<JobProgress>& jobs) {
  MetricFamilies families;
  for (const JobMetric& metric : kJobMetrics) {
    MetricFamily family = Gauges(metric.name, metric.help);
    for (const JobProgress& job : jobs) {
      const std::optional<double> value = metric.value(job);
      if (value) Put(&family, *value, {{"job", job.id}, {"model", job.model}});
    }
    if (!family.metric.empty()) families.push_back(std::move(family));
  }
  return families;
}

MetricFamilies FamiliesOf(const ProcessUsage& usage) {
  return {
      One(Gauges("process_resident_memory_bytes", "Resident memory size in bytes"),
          static_cast<double>(usage.resident_bytes)),
      One(Gauges("process_virtual_memory_bytes", "Virtual memory size in bytes"),
          static_cast<double>(usage.virtual_bytes)),
      One(Gauges("process_open_fds", "Number of open file descriptors"),
          static_cast<double>(usage.open_files)),
      One(Gauges("process_max_fds", "Maximum number of open file descriptors"),
          static_cast<double>(usage.max_files)),
      One(Counters("process_cpu_seconds_total", "User and system CPU time spent in seconds"),
          usage.cpu_seconds),
      One(Gauges("process_start_time_seconds", "Start time of the process since the epoch"),
          usage.start_time),
  };
}

MetricFamily BuildInfoFamily(const std::vector<std::pair<std::string, std::string>>& labels) {
  MetricFamily family = Gauges("sluice_build_info", "1; what the server is made of");
  Labels words;
  for (const auto& [name, value] : labels) words.push_back({name, value});
  Put(&family, 1, std::move(words));
  return family;
}

}  // namespace sluiced::observe
