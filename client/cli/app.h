// The command `sluice`: its options and subcommands.
#pragma once

namespace sluice::cli {

// Parses and runs one command line; returns the process's exit code (exit_code.h).
int RunCli(int argc, const char* const* argv);

}  // namespace sluice::cli
