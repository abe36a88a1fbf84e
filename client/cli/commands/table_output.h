// Where a command's table goes, shared by the commands that write one.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace sluice::cli {

struct TableOutput {
  std::string file = "-", format;
};

// `out` outlives the parse.
void AddTableOutput(CLI::App& command, TableOutput* out);

// Throws CommandFailure (kExitUsage) where the name says no format: before any work is done.
void CheckTableOutput(const TableOutput& out);

void SayNotFinite(int64_t rows);

}  // namespace sluice::cli
