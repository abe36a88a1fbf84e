// The options that say what a flow is, shared by `model create` and `train`.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "sluice/result.h"
#include "sluice/types.h"

namespace sluice::cli {

struct SpecOptions {
  FlowSpec spec;
  std::string file;  // A spec as JSON, which the options below change.
  std::string dtype, init, executor, base, mixing;
  std::vector<std::string> columns;
  bool standardize = false, no_standardize = false;

  // What `file` says, changed by what was given beside it. INVALID_ARGUMENT naming the
  // field or option.
  Result<FlowSpec> ToSpec(const CLI::App& command) const;
};

// Without --dim, which not every command takes. `options` outlives the parse.
void AddSpecOptions(CLI::App& command, SpecOptions* options);

// Whether one of them was given.
bool AnySpecOption(const CLI::App& command);

}  // namespace sluice::cli
