// What the measurements of the service share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/load/load.h"
#include "client/src/call_queue.h"
#include "sluice/client.h"
#include "tests/bench/echo_server.h"
#include "tests/bench/service_table.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace sluiced::bench {

struct ServiceOptions {
  int rounds = 5;      // Of what is measured in turn.
  double seconds = 1;  // Of each turn.
  int watchers = 1000;
  int models = 10000;
  int64_t sample_rows = 10'000'000;
  std::vector<std::string> server_flags;
};

// A sluiced with a model `wow`, shaped as kSeedsFlow, and a dataset `wow`; an echo
// server beside it.
class Service {
 public:
  explicit Service(const ServiceOptions& options);

  sluice::Client& client() { return *client_; }
  sluice::testing::ServerProcess& server() { return server_; }
  const EchoProcess& echo() const { return echo_; }

  // A train job of `wow` that goes on and on.
  std::string StartEndlessJob();
  // Pauses it, or lets it go on, and waits until it does.
  void Pause(const std::string& job);
  void Resume(const std::string& job);
  void End(const std::string& job);

 private:
  void AwaitState(const std::string& job, sluice::JobState state);

  sluice::testing::TempDir directory_;
  sluice::testing::ServerProcess server_;
  std::unique_ptr<sluice::Client> client_;
  EchoProcess echo_;
};

// A failed call ends the process, and says why.
void OrDie(const sluice::Status& status);
template <typename T>
T OrDie(sluice::Result<T> result) {
  OrDie(result.status());
  return *std::move(result);
}

sluice::PreparedCall EchoCall();
// `rows` rows of the model `wow`.
sluice::PreparedCall ScoringCall(int64_t rows);
// What `shape` sees for as long on a connection of its own. Dies where a call fails.
sluice::cli::Window MeasureFor(double seconds, const std::string& address,
                               const sluice::PreparedCall& call,
                               const sluice::cli::LoadShape& shape);

// --- the measurements, each on a service of its own
using Figures = std::vector<Figure>;
Figures MeasureLatency(const ServiceOptions& options);     // One call at a time.
Figures MeasureThroughput(const ServiceOptions& options);  // Many calls of one row.
Figures MeasureBatches(const ServiceOptions& options);     // Calls of 256 rows.
Figures MeasureStream(const ServiceOptions& options);
Figures MeasureWatchers(const ServiceOptions& options);
Figures MeasureManyModels(const ServiceOptions& options);
Figures MeasureBesideTraining(const ServiceOptions& options);

}  // namespace sluiced::bench
