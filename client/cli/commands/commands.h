// One function per group of subcommands: adds it to the command line. `context`
// outlives the parse. Commands run in CLI11's callbacks and throw CommandFailure.
#pragma once

#include <CLI/CLI.hpp>

#include "client/cli/context.h"

namespace sluice::cli {

void AddHealthCommand(CLI::App& app, Context& context);
void AddDatasetCommands(CLI::App& app, Context& context);
void AddTargetCommands(CLI::App& app, Context& context);
void AddModelCommands(CLI::App& app, Context& context);
void AddTrainCommand(CLI::App& app, Context& context);
void AddJobCommands(CLI::App& app, Context& context);
void AddSampleCommand(CLI::App& app, Context& context);
void AddInferenceCommands(CLI::App& app, Context& context);
void AddEvaluateCommands(CLI::App& app, Context& context);
void AddBenchCommand(CLI::App& app, Context& context);
void AddPlotCommands(CLI::App& app, Context& context);
void AddTopCommand(CLI::App& app, Context& context);
void AddTokenCommands(CLI::App& app, Context& context);
void AddBackupCommand(CLI::App& app, Context& context);

}  // namespace sluice::cli
