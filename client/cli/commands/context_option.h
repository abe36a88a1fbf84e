// --context: what a conditional model is asked at.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "sluice/types.h"

namespace sluice::cli {

void AddContextOption(CLI::App& command, std::string* text);

// "0.1,-2": one row for all; else a file, a row for each or one for all. Of no
// columns where nothing was said. Ends the command on an error.
Matrix ReadContext(const std::string& text);

// Rows with the context behind them.
Matrix WithContext(const Matrix& rows, const std::string& context);

}  // namespace sluice::cli
