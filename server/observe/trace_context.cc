#include "server/observe/trace_context.h"

#include <cstddef>

namespace sluiced::observe {
namespace {

// VERSION-TRACE-PARENT-FLAGS; later versions may go on after another dash.
constexpr size_t kTraceAt = 3, kTraceDigits = 32;
constexpr size_t kParentAt = 36, kParentDigits = 16;
constexpr size_t kFlagsAt = 53;
constexpr size_t kLength = 55;
constexpr absl::string_view kHexDigits = "0123456789abcdef";  // Capitals are not allowed.

bool IsHex(absl::string_view text) {
  return text.find_first_not_of(kHexDigits) == absl::string_view::npos;
}

bool IsId(absl::string_view text) {
  return IsHex(text) && text.find_first_not_of('0') != absl::string_view::npos;
}

bool LengthFits(absl::string_view header, absl::string_view version) {
  if (version == "00") return header.size() == kLength;
  return header.size() == kLength || header[kLength] == '-';
}

}  // namespace

std::optional<TraceContext> ParseTraceparent(absl::string_view header) {
  if (header.size() < kLength) return std::nullopt;
  const absl::string_view version = header.substr(0, 2);
  const absl::string_view trace = header.substr(kTraceAt, kTraceDigits);
  const absl::string_view parent = header.substr(kParentAt, kParentDigits);
  const absl::string_view flags = header.substr(kFlagsAt, 2);
  if (!IsHex(version) || version == "ff" || !LengthFits(header, version)) return std::nullopt;
  for (const size_t dash : {kTraceAt - 1, kParentAt - 1, kFlagsAt - 1}) {
    if (header[dash] != '-') return std::nullopt;
  }
  if (!IsId(trace) || !IsId(parent) || !IsHex(flags)) return std::nullopt;
  const bool sampled = kHexDigits.find(flags[1]) % 2 == 1;
  return TraceContext{std::string(trace), std::string(parent), sampled};
}

}  // namespace sluiced::observe
