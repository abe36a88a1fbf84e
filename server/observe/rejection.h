// Rejections: why the server did not do what a call asked, though it could have at
// another time or for another caller.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sluiced::observe {

// Every word that RejectionOf gives.
inline constexpr absl::string_view kRejections[] = {
    "queue_full",      "job_queue_full",    "model_loads", "bytes_in_flight",
    "rows_in_flight",  "rate_limit",        "draining",    "deadline",
    "unauthenticated", "permission_denied", "job_memory",  "other_limit",
};

// One of kRejections; empty for a status that is none. `ran`: the call was worked on.
absl::string_view RejectionOf(const absl::Status& status, bool ran);

}  // namespace sluiced::observe
