// JobRunContext: the RunContext over a store and a job.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "server/jobs/job.h"
#include "server/jobs/job_manager.h"

namespace sluiced::jobs {

class JobRunContext : public RunContext {
 public:
  // `on_progress`: called on the first checkpoint of the run.
  JobRunContext(store::Store* store, std::shared_ptr<Job> job, int64_t keep_updates,
                std::function<void()> on_progress);

  Signal signal() const override;
  absl::Status AddUpdate(std::string payload) override;
  absl::Status SaveCheckpoint(std::string checkpoint) override;
  absl::StatusOr<std::string> LoadCheckpoint() override;
  absl::Status SaveSnapshot(int64_t epoch, std::string snapshot) override;

 private:
  store::Store* const store_;
  const std::shared_ptr<Job> job_;
  const int64_t keep_updates_;
  const std::function<void()> on_progress_;
};

}  // namespace sluiced::jobs
