// RequestLog: one debug line for each call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "server/observe/call_timer.h"
#include "server/observe/trace_context.h"

namespace sluiced::observe {

// Filled while a call runs. Not thread-safe.
struct RequestLog {
  std::string method;    // "LogProb"
  std::string resource;  // "models/wow"; empty where the call names none.
  std::string caller;    // Its name; empty where the server asks nobody.
  std::string request_id;
  std::optional<TraceContext> trace;
  int64_t rows = 0;

  // Whether there will be a line: what only the line needs may be left out else.
  static bool Wanted();
  void Write(const absl::Status& status, const CallTimer& timer) const;
};

}  // namespace sluiced::observe
