// Config: what the command line, the environment and the file say, in this order.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "server/access/access.h"
#include "server/observe/logging.h"
#include "server/serving/limits.h"
#include "server/train_run.h"

namespace sluiced {

// Callers who said nothing for so long are asked whether they are there, and let go when
// they do not answer in time.
struct Keepalive {
  std::chrono::milliseconds after = std::chrono::seconds(60);
  std::chrono::milliseconds timeout = std::chrono::seconds(20);
};

struct Config {
  bool check = false;  // Only say whether the rest is sound.
  std::string data_dir;
  std::string listen = "127.0.0.1:50051";
  int threads = 0;  // Of inference; 0: one a core.
  int io_threads = 4;
  size_t max_queued_calls = 1024;
  int max_running_jobs = 1;
  // threads = 0: the cores, shared among the jobs.
  TrainRunOptions train_run = {.threads = 0, .nice = 10};
  int max_queued_jobs = 1000;
  int64_t keep_updates = 100'000;  // Of each job.
  double keep_ended_jobs = 0;      // Days; 0: for ever.
  std::string restore;             // Backup that the data directory is made of; empty: none.
  std::string port_file;           // Gets the bound address, once the server answers.
  std::string metrics_listen;      // HOST:PORT of Prometheus's metrics; empty: none.
  observe::LogOptions log;
  int64_t max_batch_rows = 1024;
  int64_t batch_delay_us = 0;
  int64_t model_bytes = int64_t{1} << 30;  // Of loaded models.
  int64_t job_bytes = 0;                   // Of running jobs; 0: half of the machine's memory.
  serving::Limits limits;
  access::Options access;
  Keepalive keepalive;
};

// Fills `config`, or ends the process with usage (status 2) or the help, version or
// configuration asked for (status 0).
Config ParseConfig(int argc, char** argv);

}  // namespace sluiced
