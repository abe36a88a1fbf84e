// The states of a job and the legal transitions between them, in one table.
#pragma once

#include "absl/strings/string_view.h"
#include "server/store/records.h"

namespace sluiced::jobs {

absl::string_view NameOf(store::JobState state);  // "QUEUED"
bool IsTerminal(store::JobState state);
bool IsLegal(store::JobState from, store::JobState to);

}  // namespace sluiced::jobs
