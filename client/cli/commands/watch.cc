#include "client/cli/commands/watch.h"

#include <iostream>
#include <map>
#include <string>

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

using Metrics = std::map<std::string, double>;

// What the last epoch knew of its target, under the names of a version's metrics.
Metrics TargetMetrics(const TrainUpdate& update) {
  Metrics metrics;
  const auto put = [&](const char* key, const std::optional<double>& value) {
    if (value) metrics[key] = *value;
  };
  put("kl", update.kl);
  put("log_z_estimate", update.log_z_estimate);
  put("log_z_error", update.log_z_error);
  put("log_z_known", update.log_z_known);
  put("ess_fraction", update.ess_fraction);
  return metrics;
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
}

void SayTarget(const std::string& of, const Metrics& metrics) {
  const auto known = [&](const char* key) { return metrics.contains(key); };
  const auto error = [&](const char* key) {
    return known(key) ? " ± " + FormatNumber(metrics.at(key), 2) : "";
  };
  if (known("kl")) {
    Say("  " + of + ": KL(flow || target) " + FormatLoss(metrics.at("kl")) + error("kl_error") +
        " nats");
  }
  if (!known("log_z_estimate")) return;
  std::string line =
      "  " + of + ": log Z " + FormatLoss(metrics.at("log_z_estimate")) + error("log_z_error");
  if (known("log_z_known")) line += " (known: " + FormatLoss(metrics.at("log_z_known")) + ")";
  if (known("ess_fraction")) {
    line += ", effective sample size " + FormatNumber(metrics.at("ess_fraction") * 100, 3) + " %";
  }
  Say(line);
}

void Summarize(Client& client, const TrainJob& job, const TrainUpdate& last_epoch) {
  std::string line = "job " + job.id + " " + NameOf(job.state);
  const std::string published =
      job.version ? job.model + "@" + std::to_string(*job.version) : std::string();
  if (job.version) line += ": published " + published;
  if (job.start_time && job.end_time) {
    const std::chrono::duration<double> took = *job.end_time - *job.start_time;
    line += " after " + FormatDuration(took.count());
  }
  Say(line);
  SayLosses(last_epoch);
  const Metrics last = TargetMetrics(last_epoch);
  if (last.empty()) return;
  // The best epoch is published, which the last one may be far from.
  if (job.version) return SayTarget(published, OrFail(client.GetVersion(published)).metrics);
  SayTarget("last epoch", last);
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
  Summarize(context.client(), ended, last_epoch);
  if (ended.state == JobState::kSucceeded) return;
  Status status;
  status.code = ended.state == JobState::kCancelled ? Code::kCancelled : Code::kAborted;
  status.message =
      "job " + job + " " + NameOf(ended.state) + (ended.error.empty() ? "" : ": " + ended.error);
  throw CommandFailure{kExitJobFailed, status};
}

}  // namespace sluice::cli
