#include "server/observe/running_jobs.h"

namespace sluiced::observe {

RunningJobs::Run::Run(RunningJobs* jobs, std::string id, std::string model)
    : jobs_(jobs), id_(std::move(id)), model_(std::move(model)) {
  Set({});
}

RunningJobs::Run::~Run() {
  std::lock_guard<std::mutex> lock(jobs_->mu_);
  jobs_->jobs_.erase(id_);
}

void RunningJobs::Run::Set(JobProgress progress) {
  progress.id = id_;
  progress.model = model_;
  std::lock_guard<std::mutex> lock(jobs_->mu_);
  jobs_->jobs_[id_] = std::move(progress);
}

std::vector<JobProgress> RunningJobs::All() const {
  std::vector<JobProgress> all;
  std::lock_guard<std::mutex> lock(mu_);
  for (const auto& [id, progress] : jobs_) all.push_back(progress);
  return all;
}

}  // namespace sluiced::observe
