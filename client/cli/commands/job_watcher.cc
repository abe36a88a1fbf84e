#include "client/cli/commands/job_watcher.h"

#include <algorithm>
#include <iostream>
#include <utility>

#include "client/cli/command_failure.h"
#include "client/cli/term/terminal.h"

namespace sluice::cli {
namespace {

constexpr const char* kWarning = "warning: ";

}  // namespace

JobWatcher::JobWatcher(Context& context, std::string job, int64_t after_sequence)
    : context_(context),
      job_(std::move(job)),
      after_sequence_(after_sequence),
      view_(job_, DetectStderr(), std::cerr),
      detach_(Farewell(true)),
      last_sequence_(after_sequence) {}

std::string JobWatcher::ResumeCommand(int64_t after) const {
  std::string command = "sluice job watch " + job_;
  if (after > 0) command += " --after " + std::to_string(after);
  if (context_.server != kDefaultServer) command += " --server " + context_.server;
  return command;
}

// The resuming command goes back to the start of this watch: the replay rebuilds the
// curve.
std::string JobWatcher::Farewell(bool connected) const {
  const std::string what =
      connected ? "detached; the job goes on."
                : "detached; the server does not answer. The job goes on when it is back.";
  return view_.RestoreTerminal() + "\nsluice: " + what + " Watch it again with:\n  " +
         ResumeCommand(after_sequence_) + "\n";
}

void JobWatcher::TakeConnection(Client::Connection connection) {
  const bool back = connection == Client::Connection::kBack;
  detach_.Replace(Farewell(back));
  if (back) return view_.Note("sluice: " + context_.server + " answers again");
  const auto minutes =
      std::chrono::duration_cast<std::chrono::minutes>(ClientOptions().reconnect_for);
  const bool was_there = last_sequence_ > after_sequence_;
  view_.Note("sluice: " +
             (was_there ? "connection to " + context_.server + " lost"
                        : context_.server + " does not answer") +
             "; trying again for " + std::to_string(minutes.count()) + " minutes");
}

bool JobWatcher::Take(const TrainUpdate& update) {
  last_sequence_ = update.sequence;
  if (update.attempt > std::max(attempt_, 1)) {
    view_.Note(job_ + ": attempt " + std::to_string(update.attempt) +
               ": taken up again from its last checkpoint");
  }
  attempt_ = std::max(attempt_, update.attempt);
  if (update.epoch > 0) watched_.last_epoch = update;
  auto& warnings = watched_.warnings;
  if (update.message.rfind(kWarning, 0) == 0 &&
      std::find(warnings.begin(), warnings.end(), update.message) == warnings.end()) {
    warnings.push_back(update.message);
  }
  view_.Show(update, ProgressView::Clock::now());
  return true;
}

WatchedJob JobWatcher::Run() {
  const Status status = context_.client().WatchTrainJob(
      job_, after_sequence_, [this](const TrainUpdate& update) { return Take(update); },
      [this](Client::Connection connection) { TakeConnection(connection); });
  view_.Finish();
  if (status.code == Code::kUnavailable) {
    Say("the job goes on when the server is back: " + ResumeCommand(last_sequence_));
  }
  OrFail(status);
  return watched_;
}

}  // namespace sluice::cli
