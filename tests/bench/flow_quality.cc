// flow_quality: fits every architecture to sets of rows, and to targets, with the same
// budget, and prints what each reached on rows that no training saw. For people; run by
// scripts/quality.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "server/common/array_parts.h"
#include "server/common/status_macros.h"
#include "server/data/generators.h"
#include "server/data/readers.h"
#include "server/flows/parameters.h"
#include "server/flows/spec_names.h"
#include "server/models/engine_flow.h"
#include "server/targets/smc.h"
#include "server/training/column_checks.h"
#include "server/training/trainer.h"

namespace sluiced {
namespace {

constexpr int64_t kLayers = 6;
constexpr int64_t kParameters = 25'000;  // Within a fifth.
constexpr int64_t kToyRows = 100'000, kToyTestRows = 100'000;
constexpr uint64_t kToySeed = 0, kToyTestSeed = 1;
constexpr int64_t kBatch = 512;

struct Set {
  std::string name;
  Array train, test;
  std::optional<double> entropy;  // Of what the rows are drawn from, in nats.
};

struct Budget {
  int64_t seeds = 3, steps = 4000;
  int threads = 2;
  double learning_rate = 2e-3;
  std::vector<flows::Architecture> architectures = flows::AllArchitectures();
  bool act_norm = false;    // Where the architecture can have it.
  int64_t target_rows = 0;  // Drawn of a target to be fitted beside its density; 0: none.
};

struct Reached {
  std::vector<double> losses;  // By seed.

  double mean() const {
    return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
  }
  double deviation() const {
    double squares = 0;
    for (double loss : losses) squares += (loss - mean()) * (loss - mean());
    return std::sqrt(squares / static_cast<double>(std::max<size_t>(losses.size() - 1, 1)));
  }
};

// Entropies of what data/generators.cc draws from.
std::optional<double> EntropyOf(const std::string& toy) {
  const double of_plane = 1 + std::log(2 * M_PI);  // Of a standard normal in the plane.
  if (toy == "checkerboard") return std::log(32.0);
  // Of one of them, and which: they do not overlap.
  if (toy == "eight-gaussians") return of_plane + 2 * std::log(0.35) + std::log(8.0);
  if (toy == "gaussian") return of_plane + std::log(0.6);
  if (toy == "banana") return of_plane + std::log(0.5);
  if (toy == "wow") return 2.7915;
  if (toy == "hello") return 2.7065;
  return std::nullopt;
}

absl::StatusOr<Set> ToySet(const std::string& name) {
  ASSIGN_OR_RETURN(data::Table train, data::Generate(name, kToyRows, kToySeed, std::nullopt));
  ASSIGN_OR_RETURN(data::Table test,
                   data::Generate(name, kToyTestRows, kToyTestSeed, std::nullopt));
  return Set{name, std::move(train.rows), std::move(test.rows), EntropyOf(name)};
}

// FNV-1a: the split of a file depends on its rows alone.
uint64_t HashOf(std::span<const std::byte> bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const std::byte byte : bytes) {
    hash = (hash ^ static_cast<uint64_t>(byte)) * 0x100000001b3;
  }
  return hash;
}

// Discrete columns get their noise before the split, so that both parts are of one
// density.
Array Continuous(const Array& rows) {
  flows::FlowSpec spec;
  spec.dim = rows.cols();
  return training::DequantizeDiscrete(spec, rows, kToySeed).To(DType::kFloat64);
}

// A fifth of the rows is the test set.
absl::StatusOr<Set> FileSet(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(path);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const bool is_npy = path.ends_with(".npy");
  ASSIGN_OR_RETURN(data::Table table, is_npy ? data::ReadNpy(bytes) : data::ReadCsv(bytes));
  const Array rows = Continuous(table.rows);
  std::vector<int64_t> train, test;
  const size_t width = static_cast<size_t>(rows.cols()) * sizeof(double);
  for (int64_t row = 0; row < rows.rows(); ++row) {
    const uint64_t hash = HashOf(rows.bytes().subspan(static_cast<size_t>(row) * width, width));
    (hash % 5 == 0 ? test : train).push_back(row);
  }
  const size_t slash = path.find_last_of('/') + 1;
  const std::string name = path.substr(slash, path.find_last_of('.') - slash);
  return Set{name, TakeRows(rows, train), TakeRows(rows, test), EntropyOf(name)};
}

// The width that spends the budget of parameters best.
flows::FlowSpec SpecOf(flows::Architecture architecture, int64_t dim, const Budget& budget) {
  flows::FlowSpec spec, best;
  spec.architecture = architecture;
  spec.dim = dim;
  spec.act_norm = budget.act_norm && architecture != flows::Architecture::kRealNvp;
  spec.layers = kLayers;
  int64_t least = std::numeric_limits<int64_t>::max();
  for (spec.hidden = 4; spec.hidden <= 256; ++spec.hidden) {
    const int64_t off = std::abs(flows::ParameterCount(spec) - kParameters);
    if (off < least) best = spec;
    least = std::min(least, off);
  }
  return best;
}

training::TrainInput InputOf(const flows::FlowSpec& spec, const Budget& budget, int64_t rows,
                             uint64_t seed) {
  training::TrainInput input;
  input.start = {spec, flows::InitialParameters(spec, seed), {}};
  input.config.seed = seed;
  input.config.batch_size = kBatch;
  input.config.epochs = std::max<int64_t>(1, budget.steps * kBatch / rows);
  input.config.learning_rate = budget.learning_rate;
  input.config.schedule = training::Schedule::kCosine;
  input.config.snapshots = -1;
  input.threads = budget.threads;
  return input;
}

absl::StatusOr<double> TestLoss(const flows::FlowState& state, const Array& test) {
  ASSIGN_OR_RETURN(const auto flow, models::MakeFlow(state));
  ASSIGN_OR_RETURN(const Array log_prob, flow->LogProb(test.To(state.spec.dtype)));
  double sum = 0;
  for (int64_t row = 0; row < log_prob.size(); ++row) sum -= log_prob.At(row);
  return sum / static_cast<double>(log_prob.size());
}

absl::StatusOr<Reached> FitRows(const Set& set, flows::Architecture architecture,
                                const Budget& budget) {
  Reached reached;
  const flows::FlowSpec spec = SpecOf(architecture, set.train.cols(), budget);
  for (int64_t seed = 0; seed < budget.seeds; ++seed) {
    training::TrainInput input =
        InputOf(spec, budget, set.train.rows(), static_cast<uint64_t>(seed));
    input.rows = std::make_shared<const Array>(set.train);
    ASSIGN_OR_RETURN(const training::TrainOutcome outcome, training::Train(input, {}));
    ASSIGN_OR_RETURN(const double loss, TestLoss(outcome.state, set.test));
    reached.losses.push_back(loss);
  }
  return reached;
}

void PrintHead(const char* what, const Budget& budget) {
  std::printf("| %s |", what);
  for (const flows::Architecture one : budget.architectures) {
    std::printf(" %s |", std::string(flows::NameOf(one)).c_str());
  }
  std::printf("\n|---|");
  for (size_t i = 0; i < budget.architectures.size(); ++i) std::printf("---|");
  std::printf("\n");
}

absl::Status PrintSet(const Set& set, const Budget& budget) {
  std::printf("| %s, %lld rows", set.name.c_str(), static_cast<long long>(set.train.rows()));
  if (set.entropy) std::printf(" (entropy %.4f)", *set.entropy);
  std::printf(" |");
  for (const flows::Architecture one : budget.architectures) {
    ASSIGN_OR_RETURN(const Reached reached, FitRows(set, one, budget));
    std::printf(" %.3f ± %.3f", reached.mean(), reached.deviation());
    if (set.entropy) std::printf(" (%+.3f)", reached.mean() - *set.entropy);
    std::printf(" |");
    std::fflush(stdout);
  }
  std::printf("\n");
  return absl::OkStatus();
}

// By reverse KL alone, or with rows of the target beside it.
training::TrainInput TargetInput(const flows::FlowSpec& spec, const Budget& budget, uint64_t seed,
                                 const std::shared_ptr<const Array>& rows) {
  constexpr int64_t kDraws = 20 * kBatch;
  training::TrainInput input = InputOf(spec, budget, rows != nullptr ? rows->rows() : kDraws, seed);
  input.rows = rows;
  input.config.rows = kDraws;
  if (rows != nullptr) {
    input.config.target_weight = 0.1;
    input.config.clip_norm = 1;
  } else {
    input.config.anneal_from = 0.2;
    input.config.drop_score = true;
  }
  return input;
}

absl::Status PrintTarget(const std::string& name, const Budget& budget) {
  ASSIGN_OR_RETURN(const targets::Target* target, targets::FindTarget(name));
  std::shared_ptr<const Array> rows;
  if (budget.target_rows > 0) {
    ASSIGN_OR_RETURN(
        const targets::SmcRows drawn,
        targets::DrawBySmc(*target, budget.target_rows, kToySeed, [] { return absl::OkStatus(); }));
    rows = std::make_shared<const Array>(drawn.x.To(DType::kFloat32));
  }
  std::printf("| %s |", name.c_str());
  for (const flows::Architecture one : budget.architectures) {
    Reached kl, ess;
    const flows::FlowSpec spec = SpecOf(one, target->dim(), budget);
    for (int64_t seed = 0; seed < budget.seeds; ++seed) {
      training::TrainInput input = TargetInput(spec, budget, static_cast<uint64_t>(seed), rows);
      input.target = target;
      ASSIGN_OR_RETURN(const training::TrainOutcome outcome, training::Train(input, {}));
      kl.losses.push_back(outcome.metrics.at("kl"));
      ess.losses.push_back(100 * outcome.metrics.at("ess_fraction"));
    }
    std::printf(" %.4f ± %.4f, %.1f %% |", kl.mean(), kl.deviation(), ess.mean());
    std::fflush(stdout);
  }
  std::printf("\n");
  return absl::OkStatus();
}

struct Options {
  std::vector<std::string> toys, files, targets;
  Budget budget;
};

absl::Status Run(const Options& options) {
  std::printf("Parameters:");
  for (const flows::Architecture one : options.budget.architectures) {
    const flows::FlowSpec spec = SpecOf(one, 2, options.budget);
    std::printf(" %s %lld (hidden %lld)", std::string(flows::NameOf(one)).c_str(),
                static_cast<long long>(flows::ParameterCount(spec)),
                static_cast<long long>(spec.hidden));
  }
  std::printf("\n\n");
  if (!options.toys.empty() || !options.files.empty()) PrintHead("rows: test NLL", options.budget);
  for (const std::string& toy : options.toys) {
    ASSIGN_OR_RETURN(const Set set, ToySet(toy));
    RETURN_IF_ERROR(PrintSet(set, options.budget));
  }
  for (const std::string& file : options.files) {
    ASSIGN_OR_RETURN(const Set set, FileSet(file));
    RETURN_IF_ERROR(PrintSet(set, options.budget));
  }
  if (!options.targets.empty()) {
    std::printf("\n");
    PrintHead(options.budget.target_rows > 0 ? "target and rows of it: KL, ESS" : "target: KL, ESS",
              options.budget);
  }
  for (const std::string& target : options.targets) {
    RETURN_IF_ERROR(PrintTarget(target, options.budget));
  }
  return absl::OkStatus();
}

int Refuse(const absl::Status& status) {
  std::fprintf(stderr, "flow_quality: %s\n", std::string(status.message()).c_str());
  return 1;
}

int Main(int argc, char** argv) {
  Options options;
  std::vector<std::string> names;
  CLI::App app("Fits every architecture with one budget and prints what each reached.");
  app.add_option("--toy", options.toys, "Toys of `sluice dataset toys`");
  app.add_option("--file", options.files, "*.npy or *.csv, split by hash");
  app.add_option("--target", options.targets, "Targets of `sluice target list`");
  app.add_option("--seeds", options.budget.seeds)->check(CLI::PositiveNumber);
  app.add_option("--steps", options.budget.steps)->check(CLI::PositiveNumber);
  app.add_option("--arch", names, "Some of the architectures");
  app.add_flag("--act-norm", options.budget.act_norm, "Of all but real-nvp");
  app.add_option("--target-rows", options.budget.target_rows,
                 "Fit targets beside so many rows of them, by sequential Monte Carlo")
      ->check(CLI::PositiveNumber);
  app.add_option("--lr", options.budget.learning_rate);
  app.add_option("--threads", options.budget.threads)->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  if (!names.empty()) options.budget.architectures.clear();
  for (const std::string& name : names) {
    const auto architecture = flows::FromName<flows::Architecture>("--arch", name);
    if (!architecture.ok()) return Refuse(architecture.status());
    options.budget.architectures.push_back(*architecture);
  }
  const absl::Status status = Run(options);
  return status.ok() ? 0 : Refuse(status);
}

}  // namespace
}  // namespace sluiced

int main(int argc, char** argv) { return sluiced::Main(argc, argv); }
