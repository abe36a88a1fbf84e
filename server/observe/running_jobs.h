// RunningJobs: how far the jobs are that train now.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"

namespace sluiced::observe {

struct JobProgress {
  std::string id;  // Without its collection, as is the model's.
  std::string model;
  int64_t epoch = 0, epochs = 0;
  std::optional<double> train_loss, validation_loss, best_loss;  // Nats.
  double rows_per_second = 0;
  double seconds_left = 0;
};

// Thread-safe. What has ended is forgotten, so that there are never more than run.
class RunningJobs {
 public:
  // One run, on its thread; must not outlive RunningJobs.
  class Run {
   public:
    Run(RunningJobs* jobs, std::string id, std::string model);
    ~Run();
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    // Of `progress`, id and model are the run's own.
    void Set(JobProgress progress);

   private:
    RunningJobs* const jobs_;
    const std::string id_;
    const std::string model_;
  };

  std::vector<JobProgress> All() const;  // By id.

 private:
  mutable std::mutex mu_;
  std::map<std::string, JobProgress> jobs_ ABSL_GUARDED_BY(mu_);
};

}  // namespace sluiced::observe
