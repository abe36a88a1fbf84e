#include "server/rpc/decode_text.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/common/errors.h"

namespace sluiced::rpc {
namespace {

absl::Status TooLong(absl::string_view field, size_t bytes, int64_t max_bytes) {
  return Exhausted(absl::StrCat(field, ": ", bytes, " bytes; at most ", max_bytes, " are kept"),
                   absl::ZeroDuration());
}

}  // namespace

absl::Status CheckText(absl::string_view field, absl::string_view text, int64_t max_bytes) {
  if (text.size() <= static_cast<size_t>(max_bytes)) return absl::OkStatus();
  return TooLong(field, text.size(), max_bytes);
}

absl::StatusOr<std::map<std::string, std::string>> DecodeLabels(
    absl::string_view field, const google::protobuf::Map<std::string, std::string>& labels,
    int64_t max_bytes) {
  size_t bytes = 0;
  for (const auto& [key, value] : labels) {
    if (key.empty()) return FieldError(field, "a label has no key");
    bytes += key.size() + value.size();
  }
  if (bytes > static_cast<size_t>(max_bytes)) return TooLong(field, bytes, max_bytes);
  return std::map<std::string, std::string>(labels.begin(), labels.end());
}

}  // namespace sluiced::rpc
