#include "server/observe/rejection.h"

#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "server/common/errors.h"

namespace sluiced::observe {
namespace {

// A word of kRejections, so that no label comes from anywhere else.
absl::string_view WordOf(const std::optional<Reason>& reason) {
  if (!reason) return "";
  const std::string word = absl::AsciiStrToLower(reason->code);
  for (const absl::string_view rejection : kRejections) {
    if (word == rejection) return rejection;
  }
  return "";
}

}  // namespace

absl::string_view RejectionOf(const absl::Status& status, bool ran) {
  if (status.ok()) return "";
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
      return "unauthenticated";
    case absl::StatusCode::kPermissionDenied:
      return "permission_denied";
    case absl::StatusCode::kDeadlineExceeded:
      return ran ? "" : "deadline";
    case absl::StatusCode::kResourceExhausted: {
      const absl::string_view word = WordOf(ReasonOf(status));
      return word.empty() ? "other_limit" : word;
    }
    case absl::StatusCode::kUnavailable:
      return WordOf(ReasonOf(status));
    default:
      return "";
  }
}

}  // namespace sluiced::observe
