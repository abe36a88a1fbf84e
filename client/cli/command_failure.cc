#include "client/cli/command_failure.h"

namespace sluice::cli {

void Fail(Status status) {
  const ExitCode code = status.code == Code::kUnavailable ? kExitUnavailable : kExitError;
  throw CommandFailure{code, std::move(status)};
}

void FailUsage(const std::string& message) {
  Status status;
  status.code = Code::kInvalidArgument;
  status.message = message;
  throw CommandFailure{kExitUsage, std::move(status)};
}

}  // namespace sluice::cli
