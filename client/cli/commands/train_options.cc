#include "client/cli/commands/train_options.h"

#include <charconv>
#include <sstream>

#include "client/cli/validators.h"

namespace sluice::cli {
namespace {

template <typename T>
bool Parse(const std::string& text, T* value) {
  const char* end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, *value);
  return error == std::errc() && next == end;
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

void AddOptimizerOptions(CLI::App& command, TrainOptions* options) {
  TrainConfig& config = options->config;
  command.add_option("--lr", config.learning_rate, "Learning rate (1e-3)");
  command.add_option("--stages", options->stages,
                     "Learning rates in turn: EPOCHS:LR,EPOCHS:LR,...");
  command.add_option("--optimizer", options->optimizer, "adam (default) or adamw")
      ->check(CLI::IsMember({"adam", "adamw"}));
  command.add_option("--betas", options->betas, "BETA1,BETA2 (0.9,0.999)");
  command.add_option("--weight-decay", config.weight_decay);
  command.add_option("--schedule", options->schedule, "constant (default), cosine or steps")
      ->check(CLI::IsMember({"constant", "cosine", "steps"}));
  command.add_option("--step-epochs", config.step_epochs, "steps: epochs between cuts")
      ->check(AtLeastOne());
  command.add_option("--step-factor", config.step_factor,
                     "steps: what each cut multiplies by (0.1)");
  command.add_option("--final-lr", config.final_learning_rate, "cosine: where it ends (0)");
  command.add_option("--clip-norm", config.clip_norm, "Greatest gradient norm (5); 0: no clipping");
}

}  // namespace

Result<std::vector<Stage>> ParseStages(const std::string& text) {
  std::vector<Stage> stages;
  for (const std::string& part : Split(text, ',')) {
    const std::vector<std::string> pair = Split(part, ':');
    Stage stage;
    if (pair.size() != 2 || !Parse(pair[0], &stage.epochs) ||
        !Parse(pair[1], &stage.learning_rate)) {
      return Failure(Code::kInvalidArgument,
                     "--stages: '" + part + "' is not EPOCHS:LEARNING_RATE");
    }
    stages.push_back(stage);
  }
  return stages;
}

Result<TrainConfig> TrainOptions::ToConfig() const {
  TrainConfig result = config;
  if (!stages.empty()) {
    Result<std::vector<Stage>> parsed = ParseStages(stages);
    if (!parsed.ok()) return parsed.status();
    result.stages = *std::move(parsed);
    result.schedule = Schedule::kStages;
  }
  if (optimizer == "adamw") result.optimizer = Optimizer::kAdamW;
  if (schedule == "constant") result.schedule = Schedule::kConstant;
  if (schedule == "cosine") result.schedule = Schedule::kCosine;
  if (schedule == "steps") result.schedule = Schedule::kSteps;
  if (!betas.empty()) {
    const std::vector<std::string> pair = Split(betas, ',');
    double first = 0, second = 0;
    if (pair.size() != 2 || !Parse(pair[0], &first) || !Parse(pair[1], &second)) {
      return Failure(Code::kInvalidArgument, "--betas: '" + betas + "' is not BETA1,BETA2");
    }
    result.beta1 = first;
    result.beta2 = second;
  }
  if (no_shuffle) result.shuffle = false;
  if (degenerate == "dequantize") result.degenerate = Degenerate::kDequantize;
  if (degenerate == "allow") result.degenerate = Degenerate::kAllow;
  // On the wire 0 is the default.
  if (snapshots) result.snapshots = *snapshots == 0 ? -1 : *snapshots;
  return result;
}

void AddTrainOptions(CLI::App& command, TrainOptions* options) {
  TrainConfig& config = options->config;
  command.add_option("--epochs", config.epochs, "Passes over the data (100)")->check(AtLeastOne());
  command
      .add_option("--batch-size", config.batch_size,
                  "Rows a step (256); more than there are: one step an epoch")
      ->check(AtLeastOne());
  AddOptimizerOptions(command, options);
  command.add_option("--validation-fraction", config.validation_fraction,
                     "Rows held out to choose the best epoch (0.1)");
  command.add_option("--patience", config.patience,
                     "Stop after this many epochs without a better loss; 0: never");
  command.add_flag("--no-shuffle", options->no_shuffle, "Keep the rows' order");
  command.add_option("--seed", config.seed, "Of everything random, and of a new model");
  command.add_option("--rows", config.rows, "Targets: base draws an epoch (5000)")
      ->check(AtLeastOne());
  command.add_flag("--fixed-draws", config.fixed_draws, "Targets: draw once, not anew each step");
  command.add_flag("--drop-score", config.drop_score, "Targets: gradient without the score term");
  command.add_option("--anneal-from", config.anneal_from,
                     "Targets: begin with the density to this power, so that all modes are found");
  command
      .add_option("--anneal-epochs", config.anneal_epochs,
                  "Targets: epochs until the power is 1 (half of them)")
      ->check(AtLeastOne());
  command
      .add_option("--degenerate", options->degenerate,
                  "Datasets: columns that are discrete, constant or follow from others:\n"
                  "refuse (default), dequantize (noise on discrete ones) or allow")
      ->check(CLI::IsMember({"refuse", "dequantize", "allow"}));
  command.add_option("--start-from", config.start_from,
                     "Begin with the parameters of this MODEL@VERSION of the same flow");
  command.add_flag(
      "--continue{latest}", options->continue_from,
      "Go on with the optimiser's state of the model's last job, or of --continue=JOB;\n"
      "without it a training starts from the model's latest version, with a fresh optimiser");
  command.add_option("--snapshots", options->snapshots,
                     "Kept along the way, for films and JOB#EPOCH (40); 0: none");
  command.add_flag("--publish-last", config.publish_last,
                   "Publish the last parameters, not the best");
}

}  // namespace sluice::cli
