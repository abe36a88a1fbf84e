// Ids and resource names.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sluiced {

// [a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?, or INVALID_ARGUMENT naming `field`.
absl::Status CheckId(absl::string_view field, absl::string_view id);

}  // namespace sluiced
