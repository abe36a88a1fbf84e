// Ids of requests: what a client's error, a log line and a person speak of.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace sluiced::observe {

// Whether a caller's own id may go into logs and replies: 1 to 64 letters, digits and
// ".", "_", "-".
bool IsRequestId(absl::string_view text);

// 64 bits that no other call has, as 13 letters and digits. Thread-safe; costs ten
// nanoseconds.
std::string NewRequestId();

}  // namespace sluiced::observe
