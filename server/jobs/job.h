// Job: what the manager holds in memory of a job that has not ended.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "server/jobs/job_manager.h"
#include "server/jobs/update_log.h"

namespace sluiced::jobs {

struct Job {
  Job(JobRecord saved, const WatchOptions& watch, int64_t bytes)
      : id(saved.id),
        memory(bytes),
        log(std::make_shared<UpdateLog>(saved.last_sequence, watch)),
        record(std::move(saved)) {}

  const std::string id;
  const int64_t memory;  // Bytes that a run of it holds; about.
  const std::shared_ptr<UpdateLog> log;
  std::atomic<Signal> signal = Signal::kContinue;

  // Held while the job's rows are written, so that updates are numbered, stored
  // and published in one order. Taken after the manager's mutex.
  std::mutex mu;
  JobRecord record ABSL_GUARDED_BY(mu);  // As in the store.

  // Guarded by the manager's mutex.
  bool started_here = false;     // By this process.
  bool pause_requested = false;  // By a caller; a stopping server signals it too.
};

}  // namespace sluiced::jobs
