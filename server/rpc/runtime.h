// Runtime: what every service is given.
#pragma once

#include <atomic>

#include "server/access/access.h"
#include "server/jobs/job_manager.h"
#include "server/models/registry.h"
#include "server/observe/metrics.h"
#include "server/serving/batcher.h"
#include "server/serving/budget.h"
#include "server/serving/executor.h"
#include "server/serving/limits.h"
#include "server/store/store.h"

namespace sluiced::rpc {

// Owns nothing: all of it must outlive the services.
struct Runtime {
  store::Store* store;
  models::Registry* registry;
  jobs::JobManager* jobs;
  serving::Executor* compute;  // What needs the processor.
  serving::Batcher* batcher;   // Small LogProb calls, on its threads.
  serving::Executor* io;       // What waits for the store.
  // What takes seconds: its threads give way to the others, by this niceness.
  serving::Executor* evaluations;
  serving::Executor* generations;  // One at a time: each may take a minute.
  int evaluation_nice;
  serving::Limits limits;
  serving::Budget* bytes;             // Of limits.in_flight_bytes.
  serving::Budget* rows;              // Of limits.in_flight_rows.
  const access::Access* access;       // Who may come in.
  observe::Metrics* metrics;          // Of every method in kRpcs, in its order.
  const std::atomic<bool>* draining;  // New calls are then refused with UNAVAILABLE.
};

}  // namespace sluiced::rpc
