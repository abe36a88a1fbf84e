#include "client/cli/command_failure.h"

namespace sluice::cli {
namespace {

Status Invalid(const std::string& message) {
  Status status;
  status.code = Code::kInvalidArgument;
  status.message = message;
  return status;
}

}  // namespace

void Fail(Status status) {
  const ExitCode code = status.code == Code::kUnavailable ? kExitUnavailable : kExitError;
  throw CommandFailure{code, std::move(status)};
}

void FailUsage(const std::string& message) { throw CommandFailure{kExitUsage, Invalid(message)}; }

void FailInvalid(const std::string& message) { throw CommandFailure{kExitError, Invalid(message)}; }

}  // namespace sluice::cli
