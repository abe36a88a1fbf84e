#include <algorithm>
#include <iostream>
#include <memory>

#include "client/cli/command_failure.h"
#include "client/cli/commands/commands.h"
#include "client/cli/commands/spec_options.h"
#include "client/cli/commands/train_options.h"
#include "client/cli/commands/watch.h"
#include "client/cli/term/json_view.h"

namespace sluice::cli {
namespace {

struct TrainCommand {
  std::string model, dataset, target, mixed_target, job, weights;
  TrainOptions train;
  SpecOptions spec;
  FlowSpec flow;  // What `spec` says.
  bool detach = false;
};

int64_t SourceDim(Context& context, const TrainCommand& command) {
  if (!command.dataset.empty()) {
    const int64_t columns = OrFail(context.client().GetDataset(command.dataset)).columns;
    const int64_t taken = command.flow.context_dim + (command.weights.empty() ? 0 : 1);
    if (columns > taken) return columns - taken;
    FailUsage("dataset " + command.dataset + " has " + std::to_string(columns) +
              " columns; context and weights take " + std::to_string(taken) +
              ", and leave none for x");
  }
  for (const Target& target : OrFail(context.client().ListTargets())) {
    if (target.id == command.target) return target.dim;
  }
  Fail(Failure(Code::kNotFound,
               "there is no target " + command.target + "; `sluice target list` shows them"));
}

// The flow's options apply to a model that `train` makes itself: true where it does.
bool EnsureModel(Context& context, const TrainCommand& command, bool spec_given) {
  const Result<Model> existing = context.client().GetModel(command.model);
  if (existing.ok()) {
    if (spec_given)
      Say("warning: model " + command.model + " exists; the flow's options are ignored");
    return false;
  }
  if (existing.status().code != Code::kNotFound) Fail(existing.status());
  FlowSpec spec = command.flow;
  if (!command.train.config.start_from.empty() && !spec_given) {
    spec = OrFail(context.client().GetVersion(command.train.config.start_from)).spec;
  } else {
    spec.dim = SourceDim(context, command);
  }
  Client::CreateModelOptions options;
  options.seed = command.train.config.seed;
  const Model model = OrFail(context.client().CreateModel(command.model, spec, options));
  Say("model " + model.id + " did not exist: created (" + model.spec.architecture + ", dim " +
      std::to_string(model.spec.dim) + ", layers " + std::to_string(model.spec.layers) +
      ", hidden " + std::to_string(model.spec.hidden) + ")");
  for (const std::string& warning : model.warnings) Say("warning: " + warning);
  return true;
}

// Whether the server surely made no job: a lost reply says nothing.
bool IsRefusal(Code code) {
  return code == Code::kInvalidArgument || code == Code::kNotFound ||
         code == Code::kAlreadyExists || code == Code::kFailedPrecondition ||
         code == Code::kResourceExhausted || code == Code::kPermissionDenied;
}

// A model made for a training that is refused goes with it: the next attempt may want
// another one.
TrainJob CreateJob(Context& context, const Client::TrainRequest& request, bool made_model) {
  Result<TrainJob> job = context.client().CreateTrainJob(request);
  if (job.ok()) return *std::move(job);
  if (made_model && IsRefusal(job.status().code) &&
      context.client().DeleteModel(request.model).ok()) {
    Say("model " + request.model + " removed again: it was made for this training");
  }
  Fail(job.status());
}

std::string LatestJob(Context& context, const std::string& model) {
  std::vector<TrainJob> jobs = OrFail(context.client().ListTrainJobs(model));
  std::erase_if(jobs, [](const TrainJob& job) { return !IsTerminal(job.state); });
  const auto latest = std::max_element(
      jobs.begin(), jobs.end(),
      [](const TrainJob& a, const TrainJob& b) { return a.create_time < b.create_time; });
  if (latest != jobs.end()) return latest->id;
  Fail(Failure(Code::kNotFound, "model " + model + " has no finished job to continue"));
}

void Train(Context& context, const TrainCommand& command, bool spec_given) {
  Client::TrainRequest request;
  Result<TrainConfig> config = command.train.ToConfig();
  if (!config.ok()) FailUsage(config.status().message);
  request.config = *std::move(config);
  request.job_id = command.job;
  request.model = command.model;
  request.dataset = command.dataset;
  request.target = command.target;
  request.mixed_target = command.mixed_target;
  request.weight_column = command.weights;
  const std::string& earlier = command.train.continue_from;
  request.config.continue_from = earlier == kContinueLatest ? LatestJob(context, command.model)
                                                            : PlainId(earlier, "trainJobs");
  const bool made_model = EnsureModel(context, command, spec_given);
  const TrainJob job = CreateJob(context, request, made_model);
  if (command.detach) {
    if (context.json()) return PrintJson(ToJson(job));
    std::cout << job.id << std::endl;
    return;
  }
  Say("job " + job.id + ": model " + command.model +
      (command.dataset.empty() ? ", target " + command.target : ", dataset " + command.dataset));
  try {
    WatchJob(context, job.id, 0);
  } catch (const CommandFailure& failure) {
    if (made_model && failure.exit_code == kExitJobFailed) {
      Say("model " + command.model + " stays as it was made; `sluice model delete " +
          command.model + "` before other options of the flow can count");
    }
    throw;
  }
}

// What would be ignored without a word.
void RefuseOthersOptions(const CLI::App& app, const TrainCommand& command) {
  const bool on_dataset = !command.dataset.empty();
  const std::vector<const char*> others =
      on_dataset ? std::vector<const char*>{"--rows", "--fixed-draws", "--drop-score",
                                            "--anneal-from", "--anneal-epochs"}
                 : std::vector<const char*>{"--validation-fraction", "--degenerate"};
  if (!command.mixed_target.empty()) return;
  for (const char* name : others) {
    if (app.count(name) == 0) continue;
    FailUsage(std::string(name) + (on_dataset ? " goes with --target, not with --dataset"
                                              : " goes with --dataset, not with --target"));
  }
}

}  // namespace

void AddTrainCommand(CLI::App& app, Context& context) {
  auto options = std::make_shared<TrainCommand>();
  CLI::App* command = app.add_subcommand("train", "Fit a model to a dataset or a target");
  command->add_option("MODEL", options->model, "Made first where it does not exist")->required();
  CLI::Option* dataset = command->add_option("--dataset", options->dataset, "Maximum likelihood");
  CLI::Option* target = command->add_option("--target", options->target, "Reverse KL");
  dataset->excludes(target);
  command
      ->add_option("--weights", options->weights,
                   "Column of the dataset, by name or number from 0, that weighs the rows")
      ->needs(dataset);
  CLI::Option* mixed = command
                           ->add_option("--mix-target", options->mixed_target,
                                        "Beside --dataset: fit to both, rows and this target")
                           ->needs(dataset);
  command
      ->add_option("--target-weight", options->train.config.target_weight,
                   "The share of --mix-target in the objective (0.5)")
      ->needs(mixed);
  AddTrainOptions(*command, &options->train);
  command->add_option("--job", options->job, "The job's name; the server makes one otherwise");
  command->add_flag("--detach", options->detach, "Print the job's name and leave");
  AddSpecOptions(*command, &options->spec);
  command->callback([&context, command, options] {
    if (options->dataset.empty() == options->target.empty())
      FailUsage("give --dataset or --target");
    RefuseOthersOptions(*command, *options);
    options->model = PlainId(options->model, "models");
    options->dataset = PlainId(options->dataset, "datasets");
    options->target = PlainId(options->target, "targets");
    options->mixed_target = PlainId(options->mixed_target, "targets");
    options->job = PlainId(options->job, "trainJobs");
    const Result<FlowSpec> flow = options->spec.ToSpec(*command);
    if (!flow.ok()) FailUsage(flow.status().message);
    options->flow = *flow;
    Train(context, *options, AnySpecOption(*command));
  });
}

}  // namespace sluice::cli
