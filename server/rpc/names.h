// Resource names: models/{model}, datasets/{dataset}, ...
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluiced::rpc {

inline constexpr absl::string_view kModels = "models";
inline constexpr absl::string_view kDatasets = "datasets";
inline constexpr absl::string_view kTargets = "targets";
inline constexpr absl::string_view kTrainJobs = "trainJobs";

std::string MakeName(absl::string_view collection, absl::string_view id);

// The id in `collection/{id}`; else INVALID_ARGUMENT naming `field`.
absl::StatusOr<std::string> ParseName(absl::string_view field, absl::string_view collection,
                                      absl::string_view name);

}  // namespace sluiced::rpc
