#include "server/models/names.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/common/errors.h"
#include "server/common/resource_id.h"
#include "server/common/status_macros.h"

namespace sluiced::models {

namespace {

constexpr size_t kMaxQuoted = 80;
constexpr size_t kMaxName = 256;  // More than any legal name has.

absl::Status NoName(absl::string_view field, absl::string_view name, absl::string_view form) {
  return FieldError(
      field, absl::StrCat("'", absl::CHexEscape(name.substr(0, kMaxQuoted)), "' is not ", form));
}

// The parts between slashes; none for what is too long to be a name.
std::vector<std::string> Parts(absl::string_view name) {
  if (name.size() > kMaxName) return {};
  return absl::StrSplit(name, '/');
}

bool IsOf(const std::vector<std::string>& parts, absl::string_view of, absl::string_view what) {
  return parts.size() == 4 && parts[0] == of && parts[2] == what;
}

// One spelling for each number, so that a version has one name.
absl::StatusOr<int64_t> ParseNumber(absl::string_view field, absl::string_view text) {
  int64_t number = 0;
  if (absl::SimpleAtoi(text, &number) && number >= 0 && absl::StrCat(number) == text) return number;
  return NoName(field, text, "the number of a version or epoch");
}

absl::StatusOr<VersionName> ParseVersionParts(const std::vector<std::string>& parts,
                                              absl::string_view field) {
  RETURN_IF_ERROR(CheckId(field, parts[1]));
  const std::string& version = parts[3];
  if (!version.empty() && absl::ascii_isalpha(static_cast<unsigned char>(version[0]))) {
    RETURN_IF_ERROR(CheckId(field, version));
  } else {
    RETURN_IF_ERROR(ParseNumber(field, version).status());
  }
  return VersionName{parts[1], version};
}

}  // namespace

absl::StatusOr<ModelName> ParseModelName(absl::string_view name, absl::string_view field) {
  const std::vector<std::string> parts = Parts(name);
  if (parts.size() == 2 && parts[0] == "models") {
    RETURN_IF_ERROR(CheckId(field, parts[1]));
    return VersionName{parts[1], kLatest};
  }
  if (IsOf(parts, "models", "versions")) return ParseVersionParts(parts, field);
  if (IsOf(parts, "trainJobs", "snapshots")) {
    RETURN_IF_ERROR(CheckId(field, parts[1]));
    ASSIGN_OR_RETURN(const int64_t epoch, ParseNumber(field, parts[3]));
    return SnapshotName{parts[1], epoch};
  }
  return NoName(field, name,
                "models/{model}, models/{model}/versions/{version} or "
                "trainJobs/{job}/snapshots/{epoch}");
}

absl::StatusOr<VersionName> ParseVersionName(absl::string_view name, absl::string_view field) {
  const std::vector<std::string> parts = Parts(name);
  if (IsOf(parts, "models", "versions")) return ParseVersionParts(parts, field);
  return NoName(field, name, "models/{model}/versions/{version}");
}

absl::Status CheckAlias(absl::string_view alias) {
  RETURN_IF_ERROR(CheckId("alias", alias));
  if (!absl::ascii_isalpha(static_cast<unsigned char>(alias[0]))) {
    return FieldError("alias", "must begin with a letter");
  }
  if (alias == kLatest) return FieldError("alias", "'latest' always names the newest version");
  return absl::OkStatus();
}

std::string ModelResource(absl::string_view model) { return absl::StrCat("models/", model); }

std::string VersionResource(absl::string_view model, int64_t version) {
  return absl::StrCat("models/", model, "/versions/", version);
}

std::string SnapshotResource(absl::string_view job, int64_t epoch) {
  return absl::StrCat("trainJobs/", job, "/snapshots/", epoch);
}

}  // namespace sluiced::models
