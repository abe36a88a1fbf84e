// The options that say what a flow is, shared by `model create` and `train`.
#pragma once

#include <CLI/CLI.hpp>

#include "sluice/types.h"

namespace sluice::cli {

struct SpecOptions {
  FlowSpec spec;
  std::string dtype = "float32";
  std::string init;
  std::string executor = "auto";
  bool standardize = false, no_standardize = false;

  // `spec` with what the other members say.
  FlowSpec ToSpec() const;
};

// Without --dim, which not every command takes. `options` outlives the parse.
// Returns the group of the options added.
void AddSpecOptions(CLI::App& command, SpecOptions* options);

// Whether one of them was given.
bool AnySpecOption(const CLI::App& command);

}  // namespace sluice::cli
