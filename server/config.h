// Config: what the command line and the environment say.
#pragma once

#include <cstddef>
#include <string>

#include "server/access/access.h"
#include "server/observe/logging.h"
#include "server/serving/batcher.h"
#include "server/serving/limits.h"

namespace sluiced {

struct Config {
  std::string data_dir;
  std::string listen = "127.0.0.1:50051";
  int threads = 0;  // Of inference; 0: one a core.
  int io_threads = 4;
  size_t max_queued_calls = 1024;
  int max_running_jobs = 1;
  int train_threads = 0;  // Of each running job; 0: the cores, shared among the jobs.
  int max_queued_jobs = 1000;
  std::string port_file;  // Gets the bound address, once the server answers.
  observe::LogOptions log;
  serving::BatcherOptions batcher;
  serving::Limits limits;
  access::Options access;
};

// Fills `config`, or ends the process with usage (status 2) or the help or version
// asked for (status 0).
Config ParseConfig(int argc, char** argv);

}  // namespace sluiced
