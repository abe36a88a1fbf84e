// ServerState: what the parts of the server say of themselves when they are asked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluiced::observe {

struct QueueState {
  std::string name;  // "compute"
  int64_t waiting = 0;
  int64_t capacity = 0;
};
struct LoadedModelState {
  std::string name;  // "models/wow/versions/3"
  int64_t bytes = 0;
};
struct JobCount {
  std::string state;  // "RUNNING"
  int64_t count = 0;
};

struct ServerState {
  std::vector<QueueState> queues;
  int64_t in_flight_bytes = 0;
  int64_t max_in_flight_bytes = 0;
  int64_t in_flight_rows = 0;
  int64_t max_in_flight_rows = 0;
  std::vector<LoadedModelState> models;  // Loaded ones, the latest used first.
  int64_t max_model_bytes = 0;
  int64_t job_bytes = 0;  // Of running jobs; about.
  int64_t max_job_bytes = 0;
  std::vector<JobCount> jobs;        // That have not ended, now.
  std::vector<JobCount> ended_jobs;  // Since the server started.
};

}  // namespace sluiced::observe
