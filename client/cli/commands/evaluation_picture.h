// The picture of an evaluation, and what it is asked with.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "client/cli/context.h"
#include "sluice/client.h"

namespace sluice::cli {

struct EvaluateCommand {
  std::string model;
  Client::EvaluateOptions options;
  std::string picture;  // *.png, or empty.
};

// MODEL and all options but that of the picture. `command` outlives the parse.
void AddEvaluateOptions(CLI::App& app, EvaluateCommand* command);

// Throws CommandFailure, of a wrong command line before anything is asked.
Evaluation Evaluate(Context& context, const EvaluateCommand& command);
std::string AgainstText(const EvaluateCommand& command);  // "dataset wow"

// PNG.
std::string DrawEvaluation(const Evaluation& evaluation, const EvaluateCommand& command);

}  // namespace sluice::cli
