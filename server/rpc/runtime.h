// Runtime: what every service is given.
#pragma once

#include <atomic>

#include "server/access/access.h"
#include "server/jobs/job_manager.h"
#include "server/models/registry.h"
#include "server/serving/byte_budget.h"
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
  serving::Executor* io;       // What waits for the store.
  serving::Limits limits;
  serving::ByteBudget* budget;        // Of limits.in_flight_bytes.
  const access::Access* access;       // Who may come in.
  const std::atomic<bool>* draining;  // New calls are then refused with UNAVAILABLE.
};

}  // namespace sluiced::rpc
