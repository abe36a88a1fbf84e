// RequestLog: one debug line for each call.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace sluiced::observe {

// Filled while a call runs; times it from its construction. Not thread-safe.
struct RequestLog {
  std::string method;    // "LogProb"
  std::string resource;  // "models/wow"; empty where the call names none.
  std::string caller;    // Its name; empty where the server asks nobody.
  int64_t rows = 0;
  absl::Time start = absl::Now();

  void Write(const absl::Status& status) const;
};

}  // namespace sluiced::observe
