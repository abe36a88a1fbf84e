#include "server/rpc/names.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/common/errors.h"
#include "server/common/resource_id.h"
#include "server/common/status_macros.h"

namespace sluiced::rpc {
namespace {

constexpr size_t kMaxQuoted = 80;
constexpr size_t kMaxName = 256;  // More than any legal name has.

absl::Status NoName(absl::string_view field, absl::string_view name, absl::string_view form) {
  return FieldError(field, absl::StrCat("'", absl::CHexEscape(name.substr(0, kMaxQuoted)),
                                        "' is not of the form ", form));
}

// The parts between slashes; none for what is too long to be a name.
std::vector<absl::string_view> Parts(absl::string_view name) {
  if (name.size() > kMaxName) return {};
  return absl::StrSplit(name, '/');
}

bool IsModel(const std::vector<absl::string_view>& parts) {
  return parts.size() == 2 && parts[0] == kModels;
}
bool IsVersion(const std::vector<absl::string_view>& parts) {
  return parts.size() == 4 && parts[0] == kModels && parts[2] == "versions";
}
bool IsSnapshot(const std::vector<absl::string_view>& parts) {
  return parts.size() == 4 && parts[0] == kTrainJobs && parts[2] == "snapshots";
}

absl::Status CheckNumber(absl::string_view field, absl::string_view text) {
  int64_t number = 0;
  if (absl::SimpleAtoi(text, &number) && absl::StrCat(number) == text && number >= 0) {
    return absl::OkStatus();
  }
  return FieldError(field, absl::StrCat("'", absl::CHexEscape(text.substr(0, kMaxQuoted)),
                                        "' is no number of a version or epoch"));
}

absl::Status CheckVersionParts(absl::string_view field,
                               const std::vector<absl::string_view>& parts) {
  RETURN_IF_ERROR(CheckId(field, parts[1]));
  const absl::string_view version = parts[3];
  const bool alias = !version.empty() && absl::ascii_isalpha(version[0]);
  return alias ? CheckId(field, version) : CheckNumber(field, version);
}

}  // namespace

std::string MakeName(absl::string_view collection, absl::string_view id) {
  return absl::StrCat(collection, "/", id);
}

absl::StatusOr<std::string> ParseName(absl::string_view field, absl::string_view collection,
                                      absl::string_view name) {
  const auto parts = Parts(name);
  if (parts.size() != 2 || parts[0] != collection) {
    return NoName(field, name, absl::StrCat(collection, "/{id}"));
  }
  RETURN_IF_ERROR(CheckId(field, parts[1]));
  return std::string(parts[1]);
}

absl::Status CheckVersionName(absl::string_view field, absl::string_view name) {
  const auto parts = Parts(name);
  if (IsVersion(parts)) return CheckVersionParts(field, parts);
  return NoName(field, name, "models/{model}/versions/{version}");
}

absl::Status CheckModelOrVersionName(absl::string_view field, absl::string_view name) {
  const auto parts = Parts(name);
  if (IsModel(parts)) return CheckId(field, parts[1]);
  if (IsVersion(parts)) return CheckVersionParts(field, parts);
  return NoName(field, name, "models/{model} or models/{model}/versions/{version}");
}

absl::Status CheckServableName(absl::string_view field, absl::string_view name) {
  const auto parts = Parts(name);
  if (IsModel(parts)) return CheckId(field, parts[1]);
  if (IsVersion(parts)) return CheckVersionParts(field, parts);
  if (!IsSnapshot(parts)) {
    return NoName(field, name,
                  "models/{model}, models/{model}/versions/{version} or "
                  "trainJobs/{job}/snapshots/{epoch}");
  }
  RETURN_IF_ERROR(CheckId(field, parts[1]));
  return CheckNumber(field, parts[3]);
}

absl::Status CheckAlias(absl::string_view field, absl::string_view alias) {
  RETURN_IF_ERROR(CheckId(field, alias));
  if (!absl::ascii_isalpha(alias[0])) return FieldError(field, "an alias starts with a letter");
  if (alias == "latest") return FieldError(field, "'latest' always names the last version");
  return absl::OkStatus();
}

}  // namespace sluiced::rpc
