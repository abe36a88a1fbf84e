// Observation: what the server shows of itself, from its first moment to its last.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/observe/metrics.h"
#include "server/observe/metrics_http.h"
#include "server/serving/batcher.h"
#include "server/serving/budget.h"
#include "server/serving/executor.h"

namespace sluiced {

namespace jobs {
class JobManager;
}
namespace models {
class Registry;
}

struct Observation {
  std::unique_ptr<observe::Metrics> metrics;
  // Null where nobody asked for it. Ends first: its answers ask all parts.
  std::unique_ptr<observe::MetricsHttp> http;
};

// `listen`: HOST:PORT, or empty. INVALID_ARGUMENT for an address that other machines may
// reach, unless `insecure`: what is said there is said to anybody, in plaintext.
absl::Status CheckMetricsListen(const std::string& listen, bool insecure);
absl::StatusOr<Observation> Observe(const std::string& listen, bool insecure);

// The parts that the server is made of.
struct Parts {
  const serving::Executor& compute;
  const serving::Executor& io;
  const serving::Executor& evaluations;
  const serving::Executor& generations;
  const serving::Batcher& batcher;
  const serving::Budget& bytes;
  const serving::Budget& rows;
  models::Registry& registry;
  jobs::JobManager& jobs;
};
observe::ServerState StateOf(const Parts& parts);

}  // namespace sluiced
