// quality_table: trains a flow on a .npy file or a target with several random seeds
// and prints what each reached. For people; no test runs it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "server/common/status_macros.h"
#include "server/data/readers.h"
#include "server/flows/parameters.h"
#include "server/training/trainer.h"

namespace sluiced {
namespace {

struct Options {
  std::string npy, target;
  int64_t seeds = 10, first_seed = 0;
  bool exact = false, verbose = false, cosine = false, moons_stages = false;
  flows::FlowSpec spec;
  training::TrainConfig config;
};

struct Row {
  training::TrainOutcome outcome;
  double milliseconds_per_step = 0, worst_epoch_loss = -1e300;
  int rollbacks = 0;
};

absl::StatusOr<std::shared_ptr<const Array>> ReadRows(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(path);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  ASSIGN_OR_RETURN(data::Table table, data::ReadNpy(bytes));
  return std::make_shared<const Array>(std::move(table.rows));
}

absl::StatusOr<Row> TrainOnce(const Options& options, training::TrainInput input, uint64_t seed) {
  input.config.seed = seed;
  input.start.parameters = flows::InitialParameters(input.start.spec, seed);
  Row row;
  int64_t steps = 0;
  training::TrainCallbacks callbacks;
  callbacks.on_progress = [&](const training::Progress& progress) {
    if (!progress.message.empty()) {
      ++row.rollbacks;
      std::fprintf(stderr, "seed %d: %s\n", static_cast<int>(seed), progress.message.c_str());
      return absl::OkStatus();
    }
    steps = progress.step;
    if (progress.epoch > 5) {
      row.worst_epoch_loss = std::max(row.worst_epoch_loss, *progress.train_loss);
    }
    if (options.verbose) std::fprintf(stderr, "%s\n", training::ToJson(progress).c_str());
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(row.outcome, training::Train(input, callbacks));
  row.milliseconds_per_step =
      1000 * row.outcome.metrics.at("seconds") / static_cast<double>(std::max<int64_t>(steps, 1));
  return row;
}

void Print(uint64_t seed, const Row& row) {
  std::printf("| %llu |", static_cast<unsigned long long>(seed));
  for (const char* key : {"train_loss", "validation_loss", "kl", "kl_error", "ess_fraction",
                          "log_z_estimate", "best_epoch"}) {
    const auto found = row.outcome.metrics.find(key);
    if (found == row.outcome.metrics.end()) {
      std::printf(" - |");
    } else {
      std::printf(" %.4g |", found->second);
    }
  }
  std::printf(" %.4g | %d | %.3f |\n", row.worst_epoch_loss, row.rollbacks,
              row.milliseconds_per_step);
  std::fflush(stdout);
}

absl::Status Run(const Options& options) {
  training::TrainInput input;
  input.start.spec = options.spec;
  input.config = options.config;
  if (!options.target.empty()) {
    ASSIGN_OR_RETURN(input.target, targets::FindTarget(options.target));
    input.start.spec.dim = input.target->dim();
  } else {
    ASSIGN_OR_RETURN(input.rows, ReadRows(options.npy));
    input.start.spec.dim = input.rows->cols();
  }
  std::printf(
      "| seed | train loss | validation loss | KL | KL error | ESS | log Z estimate | best epoch | "
      "worst epoch loss after 5 | messages | ms/step |\n|%s\n",
      "---|---|---|---|---|---|---|---|---|---|---|");
  std::vector<double> losses;
  for (int64_t i = 0; i < options.seeds; ++i) {
    const auto seed = static_cast<uint64_t>(options.first_seed + i);
    ASSIGN_OR_RETURN(const Row row, TrainOnce(options, input, seed));
    Print(seed, row);
    losses.push_back(row.outcome.metrics.at("train_loss"));
  }
  std::sort(losses.begin(), losses.end());
  const size_t n = losses.size();
  std::printf("train loss: median %.4f, worst %.4f\n", (losses[(n - 1) / 2] + losses[n / 2]) / 2,
              losses.back());
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Options options;
  options.config.epochs = 600;
  options.config.validation_fraction = 0;
  CLI::App app("Trains with several seeds and prints what each reached.");
  app.add_option("--npy", options.npy, "Rows to train on");
  app.add_option("--target", options.target, "Target to train on");
  app.add_option("--seeds", options.seeds)->check(CLI::PositiveNumber);
  app.add_option("--first-seed", options.first_seed);
  app.add_flag("--exact", options.exact,
               "The seed's architecture: raw scales, no standardisation, uniform initial weights");
  app.add_flag("--verbose", options.verbose, "Every epoch to stderr");
  bool torch = false;
  app.add_flag("--torch", torch, "Train in LibTorch instead of the engine");
  app.add_option("--layers", options.spec.layers);
  app.add_option("--hidden", options.spec.hidden);
  app.add_option("--scale-bound", options.spec.scale_bound);
  app.add_option("--epochs", options.config.epochs);
  app.add_option("--batch-size", options.config.batch_size);
  app.add_option("--lr", options.config.learning_rate);
  app.add_option("--clip", options.config.clip_norm);
  app.add_option("--rows", options.config.rows);
  app.add_option("--validation-fraction", options.config.validation_fraction);
  app.add_flag("--drop-score", options.config.drop_score);
  app.add_flag("--fixed-draws", options.config.fixed_draws);
  app.add_flag("--cosine", options.cosine, "Cosine schedule to 0");
  app.add_flag("--moons-stages", options.moons_stages, "100 epochs each at 1e-3, 3e-4 and 1e-4");
  CLI11_PARSE(app, argc, argv);
  if (options.npy.empty() == options.target.empty()) {
    std::fprintf(stderr, "give either --npy or --target\n");
    return 2;
  }
  if (torch) options.spec.executor = flows::Executor::kTorch;
  if (options.exact) {
    options.spec.scale_bound = 0;
    options.spec.standardize = false;
    options.spec.initialization = flows::Initialization::kUniform;
  }
  if (options.cosine) options.config.schedule = training::Schedule::kCosine;
  if (options.moons_stages) {
    options.config.schedule = training::Schedule::kStages;
    options.config.stages = {{100, 1e-3}, {100, 3e-4}, {100, 1e-4}};
  }
  const absl::Status status = Run(options);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace sluiced

int main(int argc, char** argv) { return sluiced::Main(argc, argv); }
