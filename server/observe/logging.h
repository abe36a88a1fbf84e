// Where the server's log goes: to stderr, one line a message.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace sluiced::observe {

struct LogOptions {
  std::string level = "info";   // trace, debug, info, warn, error, off
  std::string format = "text";  // text, or json: an object a line.
};

// Sets up spdlog's default logger for the process, and sends gRPC's own messages
// there. INVALID_ARGUMENT naming the option.
absl::Status SetUpLogging(const LogOptions& options);

}  // namespace sluiced::observe
