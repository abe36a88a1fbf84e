#include "client/cli/commands/spec_options.h"

#include <algorithm>

#include "client/cli/commands/spec_file.h"
#include "client/cli/files/files.h"
#include "client/cli/validators.h"

namespace sluice::cli {
namespace {

constexpr const char* kGroup = "The flow";

CLI::Option* Group(CLI::Option* option) { return option->group(kGroup); }

void AddShape(CLI::App& command, FlowSpec& spec) {
  Group(command.add_option(
      "--arch", spec.architecture,
      "real-nvp (default), nice, coupling-affine, neural-spline, masked-autoregressive or\n"
      "masked-autoregressive-spline"));
  Group(command.add_option("--layers", spec.layers, "Layers (8)"))->check(AtLeastOne());
  Group(command.add_option("--hidden", spec.hidden, "Width of the conditioners (32)"))
      ->check(AtLeastOne());
  Group(command.add_option("--depth", spec.depth, "Hidden layers of each conditioner (2)"))
      ->check(AtLeastOne());
  Group(command.add_option("--context-dim", spec.context_dim,
                           "Numbers that the density is conditional on: the last columns of a "
                           "dataset (0)"));
  Group(command.add_option("--scale-bound", spec.scale_bound,
                           "Bound of the log-scales (2); 0 leaves them raw"));
  Group(command.add_option("--bins", spec.bins, "Pieces of each spline (8)"))->check(AtLeastOne());
  Group(command.add_option("--bound", spec.bound, "Splines bend in [-bound, bound] (5)"));
  Group(command.add_flag("--act-norm,!--no-act-norm", spec.act_norm,
                         "Learn a shift and scale of each column in every layer (of splines\n"
                         "usual, unless the base is uniform)"));
  Group(command.add_option("--components", spec.components, "Of a mixture as the base (1)"))
      ->check(AtLeastOne());
  Group(command.add_option("--degrees-of-freedom", spec.degrees_of_freedom,
                           "Of Student's t as the base (5)"));
}

void AddChoices(CLI::App& command, SpecOptions* options) {
  Group(command.add_option("--mixing", options->mixing,
                           "Between layers: alternate (default), permute or lu"))
      ->check(CLI::IsMember({"alternate", "permute", "lu"}));
  Group(command.add_option("--base", options->base,
                           "normal (default), diagonal, mixture, student-t or uniform"))
      ->check(CLI::IsMember({"normal", "diagonal", "mixture", "student-t", "uniform"}));
  Group(command.add_option("--column", options->columns,
                           "Support of a column, counted from 0: INDEX:positive,\n"
                           "INDEX:interval:LOW:HIGH or INDEX:periodic:LOW:HIGH; may be repeated"))
      ->allow_extra_args(false);
  Group(command.add_option("--dtype", options->dtype, "float32 (default) or float64"))
      ->check(CLI::IsMember({"float32", "float64"}));
  Group(command.add_option("--init", options->init, "identity (default) or uniform"))
      ->check(CLI::IsMember({"identity", "uniform"}));
  Group(command.add_option("--executor", options->executor,
                           "What computes it: auto (default), engine or torch"))
      ->check(CLI::IsMember({"auto", "engine", "torch"}));
}

// Those of `given` that stand on the command line go over those of `spec`.
void Overlay(const CLI::App& command, const FlowSpec& given, FlowSpec* spec) {
  const auto take = [&](const char* option, const auto& from, auto* to) {
    if (command.count(option) > 0) *to = from;
  };
  take("--arch", given.architecture, &spec->architecture);
  take("--layers", given.layers, &spec->layers);
  take("--hidden", given.hidden, &spec->hidden);
  take("--depth", given.depth, &spec->depth);
  take("--context-dim", given.context_dim, &spec->context_dim);
  take("--scale-bound", given.scale_bound, &spec->scale_bound);
  take("--bins", given.bins, &spec->bins);
  take("--bound", given.bound, &spec->bound);
  take("--act-norm", given.act_norm, &spec->act_norm);
  take("--components", given.components, &spec->components);
  take("--degrees-of-freedom", given.degrees_of_freedom, &spec->degrees_of_freedom);
  if (given.dim != 0) spec->dim = given.dim;
}

}  // namespace

Result<FlowSpec> SpecOptions::ToSpec(const CLI::App& command) const {
  FlowSpec result;
  if (!file.empty()) {
    const Result<std::string> text = ReadFile(file);
    if (!text.ok()) return text.status();
    Result<FlowSpec> parsed = ParseSpec(*text);
    if (!parsed.ok()) return parsed.status();
    result = *std::move(parsed);
  }
  Overlay(command, spec, &result);
  if (!dtype.empty()) result.dtype = dtype == "float64" ? DType::kFloat64 : DType::kFloat32;
  // The parser has checked the names.
  if (!init.empty()) FromName(init, &result.initialization.emplace());
  if (!executor.empty()) FromName(executor, &result.executor);
  if (!base.empty()) FromName(base, &result.base);
  if (!mixing.empty()) FromName(mixing, &result.mixing);
  if (standardize) result.standardize = true;
  if (no_standardize) result.standardize = false;
  if (columns.empty()) return result;
  result.columns.clear();
  for (const std::string& column : columns) {
    Result<Column> parsed = ParseColumn(column);
    if (!parsed.ok()) return parsed.status();
    result.columns.push_back(*parsed);
  }
  std::stable_sort(result.columns.begin(), result.columns.end(),
                   [](const Column& a, const Column& b) { return a.index < b.index; });
  return result;
}

void AddSpecOptions(CLI::App& command, SpecOptions* options) {
  Group(command.add_option("--spec", options->file,
                           "A JSON file of the fields that `sluice model get --format json`\n"
                           "prints as spec; options beside it go over it"));
  AddShape(command, options->spec);
  AddChoices(command, options);
  CLI::Option* on = Group(command.add_flag("--standardize", options->standardize,
                                           "Standardise on the training rows (default)"));
  CLI::Option* off = Group(
      command.add_flag("--no-standardize", options->no_standardize, "Take the data as they are"));
  on->excludes(off);
}

bool AnySpecOption(const CLI::App& command) {
  const auto options = command.get_options([](const CLI::Option* option) {
    return option->get_group() == kGroup && option->count() > 0;
  });
  return !options.empty();
}

}  // namespace sluice::cli
