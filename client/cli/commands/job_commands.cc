#include <functional>
#include <memory>

#include "client/cli/command_failure.h"
#include "client/cli/commands/commands.h"
#include "client/cli/commands/watch.h"
#include "client/cli/term/format.h"
#include "client/cli/term/json_view.h"
#include "client/cli/term/listing.h"
#include "client/cli/term/progress.h"

namespace sluice::cli {
namespace {

std::string SourceOf(const TrainJob& job) {
  return job.dataset.empty() ? "target " + job.target : "dataset " + job.dataset;
}

std::string EpochsOf(const TrainJob& job) {
  if (!job.last_epoch) return "-";
  return std::to_string(job.last_epoch->epoch) + "/" + std::to_string(job.last_epoch->epochs);
}

std::string LossOf(const TrainJob& job) {
  if (!job.last_epoch || !job.last_epoch->best_loss) return "-";
  return FormatLoss(*job.last_epoch->best_loss);
}

void List(Context& context, const std::string& model) {
  const std::vector<TrainJob> jobs = OrFail(context.client().ListTrainJobs(model));
  if (context.json()) return PrintJson(ToJson(jobs));
  std::vector<Cells> rows;
  for (const TrainJob& job : jobs) {
    rows.push_back({job.id, NameOf(job.state), job.model, SourceOf(job), EpochsOf(job), LossOf(job),
                    job.version ? std::to_string(*job.version) : "-", FormatTime(job.create_time)});
  }
  PrintTable({"JOB", "STATE", "MODEL", "SOURCE", "EPOCH", "BEST LOSS", "VERSION", "CREATED (UTC)"},
             rows);
}

std::string SnapshotsOf(const TrainJob& job) {
  std::string epochs;
  for (const int64_t epoch : job.snapshot_epochs) {
    epochs += (epochs.empty() ? "" : ", ") + std::to_string(epoch);
  }
  return epochs.empty() ? "none" : "of epochs " + epochs;
}

std::string OptionalTime(const std::optional<Time>& time) { return time ? FormatTime(*time) : ""; }

std::string ProgressOf(const TrainJob& job) {
  if (!job.last_epoch) return "";
  TrainUpdate last = *job.last_epoch;
  if (IsTerminal(job.state)) last.seconds_left = 0;
  return ProgressLine(last);
}

void Show(const Context& context, const TrainJob& job) {
  if (context.json()) return PrintJson(ToJson(job));
  PrintFields({{"job", job.id},
               {"state", NameOf(job.state)},
               {"model", job.model},
               {"source", SourceOf(job)},
               {"version", job.version ? std::to_string(*job.version) : ""},
               {"attempt", job.attempt > 1 ? std::to_string(job.attempt) : ""},
               {"place in queue", job.queue_position > 0 ? std::to_string(job.queue_position) : ""},
               {"progress", ProgressOf(job)},
               {"best loss", LossOf(job)},
               {"created", FormatTime(job.create_time)},
               {"started", OptionalTime(job.start_time)},
               {"ended", OptionalTime(job.end_time)},
               {"snapshots", SnapshotsOf(job)},
               {"error", job.error}});
}

void AddVerb(CLI::App& group, const char* verb, const char* help,
             const std::function<void(const std::string&)>& run) {
  auto job = std::make_shared<std::string>();
  CLI::App* command = group.add_subcommand(verb, help);
  command->add_option("JOB", *job)->required();
  command->callback([job, run] { run(PlainId(*job, "trainJobs")); });
}

void AddStateChange(CLI::App& group, Context& context, const char* verb, const char* help,
                    Result<TrainJob> (Client::*change)(const std::string&)) {
  AddVerb(group, verb, help, [&context, verb, change](const std::string& id) {
    const TrainJob job = OrFail((context.client().*change)(id));
    if (context.json()) return PrintJson(ToJson(job));
    Say("job " + job.id + ": " + verb + " asked for; its state is " + NameOf(job.state));
  });
}

void AddWatch(CLI::App& group, Context& context) {
  auto job = std::make_shared<std::string>();
  auto after = std::make_shared<int64_t>(0);
  CLI::App* command =
      group.add_subcommand("watch", "Follow a job until it ends; Ctrl-C leaves it running");
  command->add_option("JOB", *job)->required();
  command->add_option("--after", *after, "Skip the updates up to this sequence number");
  command->callback(
      [&context, job, after] { WatchJob(context, PlainId(*job, "trainJobs"), *after); });
}

}  // namespace

void AddJobCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("job", "Look at and steer train jobs");
  group->require_subcommand(1);
  auto model = std::make_shared<std::string>();
  CLI::App* list = group->add_subcommand("list", "All train jobs");
  list->add_option("--model", *model, "Only those of this model");
  list->callback([&context, model] { List(context, PlainId(*model, "models")); });
  AddVerb(*group, "get", "One job", [&context](const std::string& id) {
    Show(context, OrFail(context.client().GetTrainJob(id)));
  });
  AddWatch(*group, context);
  AddStateChange(*group, context, "cancel", "Stop a job for good", &Client::CancelTrainJob);
  AddStateChange(*group, context, "pause", "Keep a checkpoint and free the job's place",
                 &Client::PauseTrainJob);
  AddStateChange(*group, context, "resume", "Continue a paused job", &Client::ResumeTrainJob);
  AddVerb(*group, "delete", "Forget a job that has ended", [&context](const std::string& id) {
    OrFail(context.client().DeleteTrainJob(id));
    Say("job " + id + " deleted");
  });
}

}  // namespace sluice::cli
