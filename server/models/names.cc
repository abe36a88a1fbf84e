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

absl::StatusOr<ModelName> ParseModelName(absl::string_view name, absl::string_view field) {
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  if (parts[0] == "models" &&
      (parts.size() == 2 || (parts.size() == 4 && parts[2] == "versions"))) {
    RETURN_IF_ERROR(CheckId(field, parts[1]));
    if (parts.size() == 2) return VersionName{parts[1], kLatest};
    RETURN_IF_ERROR(CheckId(field, parts[3]));
    return VersionName{parts[1], parts[3]};
  }
  if (parts.size() == 4 && parts[0] == "trainJobs" && parts[2] == "snapshots") {
    RETURN_IF_ERROR(CheckId(field, parts[1]));
    int64_t epoch = 0;
    if (absl::SimpleAtoi(parts[3], &epoch) && epoch >= 0) return SnapshotName{parts[1], epoch};
  }
  return FieldError(field, absl::StrCat("'", absl::CHexEscape(name.substr(0, 100)),
                                        "' is not models/{model}, models/{model}/versions/"
                                        "{version} or trainJobs/{job}/snapshots/{epoch}"));
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
