#include "client/cli/commands/spec_options.h"

#include <algorithm>

#include "client/cli/validators.h"

namespace sluice::cli {
namespace {

constexpr const char* kGroup = "The flow";

}  // namespace

FlowSpec SpecOptions::ToSpec() const {
  FlowSpec result = spec;
  result.dtype = dtype == "float64" ? DType::kFloat64 : DType::kFloat32;
  if (!init.empty()) {
    result.initialization =
        init == "uniform" ? Initialization::kUniform : Initialization::kIdentity;
  }
  if (executor != "auto") {
    result.executor = executor == "engine" ? Executor::kEngine : Executor::kTorch;
  }
  if (standardize) result.standardize = true;
  if (no_standardize) result.standardize = false;
  return result;
}

void AddSpecOptions(CLI::App& command, SpecOptions* options) {
  FlowSpec& spec = options->spec;
  const auto group = [](CLI::Option* option) { return option->group(kGroup); };
  group(command.add_option("--arch", spec.architecture, "Architecture"))->capture_default_str();
  group(command.add_option("--layers", spec.layers, "Coupling layers (8)"))->check(AtLeastOne());
  group(command.add_option("--hidden", spec.hidden, "Width of the conditioners (32)"))
      ->check(AtLeastOne());
  group(command.add_option("--depth", spec.depth, "Hidden layers of each conditioner (2)"))
      ->check(AtLeastOne());
  group(command.add_option("--dtype", options->dtype, "float32 or float64"))
      ->check(CLI::IsMember({"float32", "float64"}))
      ->capture_default_str();
  group(command.add_option("--scale-bound", spec.scale_bound,
                           "Bound of the log-scales (2); 0 leaves them raw"));
  CLI::Option* on = group(command.add_flag("--standardize", options->standardize,
                                           "Standardise on the training rows (default)"));
  CLI::Option* off = group(
      command.add_flag("--no-standardize", options->no_standardize, "Take the data as they are"));
  on->excludes(off);
  group(command.add_option("--init", options->init, "identity (default) or uniform"))
      ->check(CLI::IsMember({"identity", "uniform"}));
  group(command.add_option("--executor", options->executor,
                           "What computes it: auto, engine or torch"))
      ->check(CLI::IsMember({"auto", "engine", "torch"}))
      ->capture_default_str();
}

bool AnySpecOption(const CLI::App& command) {
  const auto options = command.get_options([](const CLI::Option* option) {
    return option->get_group() == kGroup && option->count() > 0;
  });
  return !options.empty();
}

}  // namespace sluice::cli
