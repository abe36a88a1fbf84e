// JobWatcher: a job's updates on the terminal, until it ends or Ctrl-C is pressed.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "client/cli/context.h"
#include "client/cli/term/interrupt.h"
#include "client/cli/term/progress.h"

namespace sluice::cli {

// What a watch has seen.
struct WatchedJob {
  TrainUpdate last_epoch;             // The last update of an epoch.
  std::vector<std::string> warnings;  // "warning: ...", each once.
};

// Ctrl-C ends the process and says what is true then: whether the job runs on, and
// how to come back to it. One at a time.
class JobWatcher {
 public:
  JobWatcher(Context& context, std::string job, int64_t after_sequence);

  // Throws CommandFailure when the job is unknown or the server stays away.
  WatchedJob Run();

 private:
  bool Take(const TrainUpdate& update);
  void TakeConnection(Client::Connection connection);
  std::string ResumeCommand(int64_t after) const;
  std::string Farewell(bool connected) const;

  Context& context_;
  const std::string job_;
  const int64_t after_sequence_;
  ProgressView view_;
  DetachOnInterrupt detach_;
  WatchedJob watched_;
  int64_t last_sequence_;
  int attempt_ = 0;
};

}  // namespace sluice::cli
