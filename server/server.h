// Server: all of sluiced, put together and listening.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/config.h"
#include "server/observe/metrics.h"
#include "server/serving/executor.h"
#include "server/store/store.h"

namespace sluiced {

// What Server::Start would find wrong with the configuration before it opens the data
// directory: addresses, certificates, tokens.
absl::Status CheckConfig(const Config& config);

// Thread-safe. Deleting it without Drain ends calls and jobs where they are; the
// store has what was acknowledged.
class Server {
 public:
  // Opens the data directory, takes up its jobs and listens. Fails, with a message
  // for people, when the directory is owned by another process or the address cannot be
  // had.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Config& config);
  // The rest of Start, over an open store: for tests, which slow it down.
  static absl::StatusOr<std::unique_ptr<Server>> StartOver(std::unique_ptr<store::Store> store,
                                                           const Config& config);
  virtual ~Server() = default;

  virtual int port() const = 0;          // Bound; means nothing for unix:PATH.
  virtual int metrics_port() const = 0;  // 0 where Config asks for none.

  // NOT_SERVING for health checks, new calls refused, running jobs stopped at a
  // checkpoint, calls in flight finished (for at most ten seconds). Blocks.
  virtual void Drain() = 0;

  // The first step of Drain alone, and the threads of inference: for tests, which
  // watch what a call meets while the server stops, and keep these threads busy.
  virtual void RefuseNewCalls() = 0;
  virtual serving::Executor& compute() = 0;
  // Counts what happens, whether somebody looks or not.
  virtual observe::Metrics& metrics() = 0;
};

}  // namespace sluiced
