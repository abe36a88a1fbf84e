// Runs a train job: joins jobs, training, models and datasets.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "server/jobs/job_manager.h"
#include "server/models/registry.h"
#include "server/observe/running_jobs.h"
#include "server/store/store.h"

namespace sluiced {

struct TrainRunOptions {
  int threads = 1;  // Of each run.
  int nice = 0;     // Of these threads: how far they give way to inference (0-19).
  // Between two checkpoints of a run, each at the end of an epoch.
  absl::Duration checkpoint_interval = absl::Seconds(2);
};

// For JobManager::Create. Owns none of them; all must outlive the manager. `running` is
// told how each run goes.
// What a run adds to its log: training::ToJson(Progress).
jobs::RunFunction MakeTrainRun(store::Store* store, models::Registry* registry,
                               observe::RunningJobs* running, const TrainRunOptions& options);

// For jobs::Options: the last update of a job that FAILED.
std::string EncodeTrainError(const std::string& error);

}  // namespace sluiced
