// CommandFailure: ends a command. Thrown inside commands only, since CLI11 runs
// them in callbacks without a result; RunCli is the one place that catches it.
#pragma once

#include <string>
#include <utility>

#include "client/cli/exit_code.h"
#include "sluice/result.h"

namespace sluice::cli {

struct CommandFailure {
  ExitCode exit_code = kExitError;
  Status status;
};

[[noreturn]] void Fail(Status status);
// The command line is wrong, whatever files and servers hold.
[[noreturn]] void FailUsage(const std::string& message);
// What it names does not fit together.
[[noreturn]] void FailInvalid(const std::string& message);

inline void OrFail(Status status) {
  if (!status.ok()) Fail(std::move(status));
}

template <typename T>
T OrFail(Result<T> result) {
  if (!result.ok()) Fail(result.status());
  return *std::move(result);
}

}  // namespace sluice::cli
