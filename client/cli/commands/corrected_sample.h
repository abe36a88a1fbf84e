// `sluice sample --correct`: draws of a target by way of a model.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "client/cli/commands/table_output.h"
#include "client/cli/context.h"
#include "sluice/client.h"

namespace sluice::cli {

struct CorrectedSample {
  std::string method;  // Empty: no correction.
  std::string target;
  Client::CorrectionOptions options;
};

// `sample` outlives the parse.
void AddCorrectionOptions(CLI::App& command, CorrectedSample* sample);

// Throws CommandFailure (kExitUsage) where the options contradict each other.
void CheckCorrection(const CorrectedSample& sample);

// The rows to `out`, with their log weights as a last column where they have some; the
// diagnostics to stderr. Throws CommandFailure.
void WriteCorrected(Context& context, const std::string& model, int64_t rows,
                    const CorrectedSample& sample, const TableOutput& out);

}  // namespace sluice::cli
