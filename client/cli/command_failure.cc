#include "client/cli/command_failure.h"

namespace sluice::cli {

void Fail(Status status) {
  const ExitCode code = status.code == Code::kUnavailable ? kExitUnavailable : kExitError;
  throw CommandFailure{code, std::move(status)};
}

void FailUsage(const std::string& message) {
  throw CommandFailure{kExitUsage, Failure(Code::kInvalidArgument, message)};
}

void FailInvalid(const std::string& message) {
  throw CommandFailure{kExitError, Failure(Code::kInvalidArgument, message)};
}

}  // namespace sluice::cli
