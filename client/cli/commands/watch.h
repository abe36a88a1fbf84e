// Following a train job on the terminal.
#pragma once

#include <string>

#include "client/cli/context.h"

namespace sluice::cli {

// Shows the job's progress on stderr until it has ended, then what came of it.
// Throws CommandFailure (kExitJobFailed) unless it SUCCEEDED.
void WatchJob(Context& context, const std::string& job, int64_t after_sequence);

}  // namespace sluice::cli
