#include "client/cli/commands/watch.h"

#include <iostream>
#include <map>
#include <string>

#include "client/cli/command_failure.h"
#include "client/cli/commands/job_watcher.h"
#include "client/cli/term/format.h"

namespace sluice::cli {
namespace {

// Importance weights on fewer draws than this say little of what they leave out.
constexpr double kTrustedEssFraction = 0.01;

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

// What "best" is measured on.
std::string BestName(const TrainJob& job, const TrainUpdate& update) {
  if (update.validation_loss) return "best validation loss ";
  return job.target.empty() ? "best loss on the training rows " : "best loss (KL - log Z) ";
}

void SayLosses(const TrainJob& job, const TrainUpdate& update) {
  if (update.best_loss) {
    const bool is_published = job.version && !job.config.publish_last;
    Say("  " + BestName(job, update) + FormatLoss(*update.best_loss) + " nats at epoch " +
        std::to_string(update.best_epoch) + (is_published ? ", the one published" : ""));
  }
  if (update.train_loss) {
    std::string line = "  last epoch, " + std::to_string(update.epoch) + ": training loss " +
                       FormatLoss(*update.train_loss);
    if (update.validation_loss) {
      line += ", validation loss " + FormatLoss(*update.validation_loss);
    }
    Say(line + " nats" + (job.version && job.config.publish_last ? ", the one published" : ""));
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
  if (known("ess_fraction") && metrics.at("ess_fraction") < kTrustedEssFraction) {
    Say("  warning: so few of the draws carry the estimate of log Z that it and its error "
        "cannot be trusted");
  }
}

void Summarize(Client& client, const TrainJob& job, const WatchedJob& watched) {
  const TrainUpdate& last_epoch = watched.last_epoch;
  std::string line = "job " + job.id + " " + NameOf(job.state);
  const std::string published =
      job.version ? job.model + "@" + std::to_string(*job.version) : std::string();
  if (job.version) line += ": published " + published;
  if (job.start_time && job.end_time) {
    const std::chrono::duration<double> took = *job.end_time - *job.start_time;
    line += " after " + FormatDuration(took.count());
  }
  Say(line);
  for (const std::string& warning : watched.warnings) Say("  " + warning);
  SayLosses(job, last_epoch);
  const Metrics last = TargetMetrics(last_epoch);
  if (last.empty()) return;
  // The best epoch is published, which the last one may be far from.
  if (job.version) return SayTarget(published, OrFail(client.GetVersion(published)).metrics);
  SayTarget("last epoch", last);
}

}  // namespace

void WatchJob(Context& context, const std::string& job, int64_t after_sequence) {
  JobWatcher watcher(context, job, after_sequence);
  WatchedJob watched = watcher.Run();
  const TrainJob ended = OrFail(context.client().GetTrainJob(job));
  if (watched.last_epoch.epoch == 0 && ended.last_epoch) watched.last_epoch = *ended.last_epoch;
  Summarize(context.client(), ended, watched);
  if (ended.state == JobState::kSucceeded) return;
  const bool cancelled = ended.state == JobState::kCancelled;
  throw CommandFailure{kExitJobFailed,
                       Failure(cancelled ? Code::kCancelled : Code::kAborted,
                               "job " + job + " " + NameOf(ended.state) +
                                   (ended.error.empty() ? "" : ": " + ended.error))};
}

}  // namespace sluice::cli
