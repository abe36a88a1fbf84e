// What an option's text has to be, where CLI11 is content with less.
#pragma once

#include <CLI/CLI.hpp>

namespace sluice::cli {

// Makes every number of the command line and its subcommands exactly what was typed
// or an error. CLI11 alone takes "" for 0, "-1" for 2^64 - 1, "010" for 8, and the
// nearest number for one that is out of range. To be called once all options are
// there.
void ReadNumbersStrictly(CLI::App& app);

// For counts of which none would mean the default: "must be at least 1".
CLI::Validator AtLeastOne();

// HOST:PORT, unix:PATH, or another address with a scheme that gRPC knows.
CLI::Validator ServerAddress();

}  // namespace sluice::cli
