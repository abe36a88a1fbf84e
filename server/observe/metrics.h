// Metrics: what the server counts and times, for Prometheus and for `sluice top`.
#pragma once

#include <prometheus/registry.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "server/observe/families.h"
#include "server/observe/method_metrics.h"
#include "server/observe/running_jobs.h"
#include "server/observe/server_state.h"

namespace sluiced::observe {

// What the metric sluice_build_info says.
struct BuildInfo {
  std::string version, torch, grpc, simd;
};

// Thread-safe. No label is made of what a caller sends: methods, codes, reasons, queues,
// states and operations are fixed words, and jobs are those that run now. Models are no
// label: their names come and go, and Prometheus would keep each for weeks.
class Metrics {
 public:
  // `methods` in the order in which method() finds them.
  Metrics(const std::vector<std::string>& methods, BuildInfo build);

  MethodMetrics& method(size_t index) { return *methods_[index]; }
  const std::vector<std::unique_ptr<MethodMetrics>>& methods() const { return methods_; }
  RunningJobs& jobs() { return jobs_; }
  const BuildInfo& build() const { return build_; }
  absl::Time start_time() const { return start_time_; }

  // What computes several calls in one go says of each batch.
  void CountBatch(int64_t requests, int64_t rows);

  // Where operations of the store named `operation`, a fixed word, are timed.
  prometheus::Histogram& StoreOperation(const std::string& operation);

  // Ready while the server takes calls.
  void SetReady(bool ready) { ready_.store(ready, std::memory_order_release); }
  bool ready() const { return ready_.load(std::memory_order_acquire); }

  // Asked whenever somebody looks; unset: a server without parts.
  void SetState(std::function<ServerState()> state);
  ServerState State() const;

  // All of it, in Prometheus's text format.
  std::string Text() const;

 private:
  const BuildInfo build_;
  const absl::Time start_time_;
  prometheus::Registry registry_;
  Families families_;
  prometheus::Histogram& batch_rows_;
  prometheus::Histogram& batch_requests_;
  std::vector<std::unique_ptr<MethodMetrics>> methods_;
  RunningJobs jobs_;
  std::atomic<bool> ready_ = false;

  mutable std::mutex mu_;
  std::function<ServerState()> state_ ABSL_GUARDED_BY(mu_);
};

}  // namespace sluiced::observe
