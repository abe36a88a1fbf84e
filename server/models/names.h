// Names by which a model version or a snapshot is asked for.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluiced::models {

struct VersionName {
  std::string model;
  std::string version;  // A number, an alias or "latest".
};
struct SnapshotName {
  std::string job;
  int64_t epoch;
};
using ModelName = std::variant<VersionName, SnapshotName>;

// models/{model}, models/{model}/versions/{number or alias}, or
// trainJobs/{job}/snapshots/{epoch}; else INVALID_ARGUMENT naming `field`.
absl::StatusOr<ModelName> ParseModelName(absl::string_view name, absl::string_view field = "model");
// models/{model}/versions/{number or alias} and nothing else.
absl::StatusOr<VersionName> ParseVersionName(absl::string_view name, absl::string_view field);

inline constexpr char kLatest[] = "latest";

// An id that begins with a letter and is not `latest`, so that no alias looks
// like a number.
absl::Status CheckAlias(absl::string_view alias);

std::string ModelResource(absl::string_view model);                     // models/{model}
std::string VersionResource(absl::string_view model, int64_t version);  // models/{m}/versions/{n}
std::string SnapshotResource(absl::string_view job, int64_t epoch);

}  // namespace sluiced::models
