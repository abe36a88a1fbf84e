// Texts that people give: descriptions, labels, sources.
#pragma once

#include <google/protobuf/map.h>

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluiced::rpc {

// RESOURCE_EXHAUSTED for more than `max_bytes`: they are kept and listed.
absl::Status CheckText(absl::string_view field, absl::string_view text, int64_t max_bytes);
absl::StatusOr<std::map<std::string, std::string>> DecodeLabels(
    absl::string_view field, const google::protobuf::Map<std::string, std::string>& labels,
    int64_t max_bytes);

}  // namespace sluiced::rpc
