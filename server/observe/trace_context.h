// TraceContext: which trace a call belongs to (W3C Trace Context).
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace sluiced::observe {

struct TraceContext {
  std::string trace_id;   // 32 hex digits.
  std::string parent_id;  // 16: the caller's span.
  bool sampled = false;
};

// Of a `traceparent` header; nullopt for whatever the recommendation says to ignore:
// https://www.w3.org/TR/trace-context/#traceparent-header
std::optional<TraceContext> ParseTraceparent(absl::string_view header);

}  // namespace sluiced::observe
