// A JobManager over a real store, whose runs do what the test says and no more.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/jobs/job_manager.h"
#include "tests/store/store_contract.h"

namespace sluiced::jobs {

// Runs that wait for the test's orders. Thread-safe.
class Puppeteer {
 public:
  RunFunction Function();

  // Each blocks until `job` runs, and then until it has done as told.
  void Do(const std::string& job, std::function<void(RunContext&)> action);
  void Return(const std::string& job, absl::StatusOr<RunResult> result);
  JobRecord RecordOfRun(const std::string& job);
  // Until the run of `job` sees `signal`.
  void AwaitSignal(const std::string& job, Signal signal);

  int MostAtOnce();
  std::vector<std::string> Started();
  void AwaitStarted(size_t runs);

 private:
  struct Run {
    JobRecord record;
    std::function<void(RunContext&)> action;
    std::optional<absl::StatusOr<RunResult>> result;
  };
  absl::StatusOr<RunResult> Obey(const JobRecord& record, RunContext& context);

  std::mutex mu_;
  std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<Run>> runs_;
  std::vector<std::string> started_;
  size_t most_at_once_ = 0;
};

// Reads a watch as a client would, waiting for `ready`.
class Reader {
 public:
  Reader(JobManager& manager, const std::string& job, int64_t after = 0);

  // The next update, waited for; nullopt at the end.
  absl::StatusOr<std::optional<UpdateRecord>> Read();
  std::vector<UpdateRecord> ReadToEnd();
  Watch& watch() { return *watch_; }
  void Leave() { watch_.reset(); }
  int ready_calls();

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  int ready_calls_ = 0;
  int used_calls_ = 0;
  std::unique_ptr<Watch> watch_;
};

class JobTest : public ::testing::Test {
 protected:
  void SetUp() override;
  // A manager as a new process would make it; the one before is gone.
  void StartManager(Options options = {});
  void StopManager() { manager_.reset(); }

  JobRecord Create(const std::string& id);
  JobState StateOf(const std::string& id) { return manager_->Get(id)->state; }
  UpdateRecord LastUpdate(const std::string& id);  // As stored; there must be one.
  // Reads `id` to its end; its terminal state.
  JobState AwaitEnd(const std::string& id);
  void AwaitState(const std::string& id, JobState state);

  store::TempDir dir_;
  std::unique_ptr<store::Store> store_;
  Puppeteer runs_;
  std::unique_ptr<JobManager> manager_;
};

Options Running(int max_running);

// A run's result that publishes a version of "wow".
RunResult Published(const std::string& last_payload = "done");

}  // namespace sluiced::jobs
