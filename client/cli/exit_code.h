// What the exit codes of `sluice` mean. `sluice --help` prints this table.
#pragma once

namespace sluice::cli {

enum ExitCode {
  kExitOk = 0,
  kExitError = 1,        // The server or a file said no.
  kExitUsage = 2,        // The command line is wrong.
  kExitUnavailable = 3,  // No server answers, or it is not serving.
  kExitJobFailed = 4,    // The watched job FAILED or was CANCELLED.
  kExitInterrupted = 130,
};

}  // namespace sluice::cli
