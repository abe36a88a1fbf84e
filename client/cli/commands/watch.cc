#include "client/cli/commands/watch.h"

#include <iostream>

#include "client/cli/command_failure.h"
#include "client/cli/term/format.h"
#include "client/cli/term/interrupt.h"
#include "client/cli/term/progress.h"

namespace sluice::cli {
namespace {

std::string ResumeCommand(const Context& context, const std::string& job, int64_t after) {
  std::string command = "sluice job watch " + job;
  if (after > 0) command += " --after " + std::to_string(after);
  if (context.server != kDefaultServer) command += " --server " + context.server;
  return command;
}

void SayLosses(const TrainUpdate& update) {
  if (update.best_loss) {
    Say("  best loss " + FormatLoss(*update.best_loss) + " nats at epoch " +
        std::to_string(update.best_epoch));
  }
  if (update.train_loss) {
    std::string line = "  last losses: training " + FormatLoss(*update.train_loss);
    if (update.validation_loss) line += ", validation " + FormatLoss(*update.validation_loss);
    Say(line + " nats");
  }
  if (update.kl) Say("  KL(flow || target) " + FormatLoss(*update.kl) + " nats");
  if (update.log_z_estimate) {
    std::string line = "  log Z " + FormatLoss(*update.log_z_estimate);
    if (update.log_z_error) line += " ± " + FormatNumber(*update.log_z_error, 2);
    if (update.log_z_known) line += " (known: " + FormatLoss(*update.log_z_known) + ")";
    if (update.ess_fraction) {
      line += ", effective sample size " + FormatNumber(*update.ess_fraction * 100, 3) + " %";
    }
    Say(line);
  }
}

void Summarize(const TrainJob& job, const TrainUpdate& last_epoch) {
  std::string line = "job " + job.id + " " + NameOf(job.state);
  if (job.version) line += ": published " + job.model + "@" + std::to_string(*job.version);
  if (job.start_time && job.end_time) {
    const std::chrono::duration<double> took = *job.end_time - *job.start_time;
    line += " after " + FormatDuration(took.count());
  }
  Say(line);
  SayLosses(last_epoch);
}

}  // namespace

void WatchJob(Context& context, const std::string& job, int64_t after_sequence) {
  ProgressView view(job, DetectStderr(), std::cerr);
  const auto farewell = [&](int64_t after) {
    return view.RestoreTerminal() +
           "\nsluice: detached; the job goes on. Watch it again with:\n  " +
           ResumeCommand(context, job, after) + "\n";
  };
  // What Ctrl-C prints names the job from its start: the replay rebuilds the curve.
  const DetachOnInterrupt detach(farewell(after_sequence));
  TrainUpdate last_epoch;
  Status watched =
      context.client().WatchTrainJob(job, after_sequence, [&](const TrainUpdate& update) {
        if (update.epoch > 0) last_epoch = update;
        view.Show(update, ProgressView::Clock::now());
        return true;
      });
  view.Finish();
  if (!watched.ok() && watched.code == Code::kUnavailable) {
    Say("the job goes on when the server is back: " +
        ResumeCommand(context, job, last_epoch.sequence));
  }
  OrFail(watched);
  const TrainJob ended = OrFail(context.client().GetTrainJob(job));
  if (last_epoch.epoch == 0 && ended.last_epoch) last_epoch = *ended.last_epoch;
  Summarize(ended, last_epoch);
  if (ended.state == JobState::kSucceeded) return;
  Status status;
  status.code = ended.state == JobState::kCancelled ? Code::kCancelled : Code::kAborted;
  status.message =
      "job " + job + " " + NameOf(ended.state) + (ended.error.empty() ? "" : ": " + ended.error);
  throw CommandFailure{kExitJobFailed, status};
}

}  // namespace sluice::cli
