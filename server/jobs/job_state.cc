#include "server/jobs/job_state.h"

#include <utility>

#include "server/common/check.h"

namespace sluiced::jobs {
namespace {

using store::JobState;

constexpr std::pair<JobState, JobState> kLegal[] = {
    {JobState::kQueued, JobState::kRunning},
    {JobState::kQueued, JobState::kPaused},
    {JobState::kQueued, JobState::kCancelled},
    {JobState::kRunning, JobState::kQueued},  // The server stopped under it.
    {JobState::kRunning, JobState::kPaused},
    {JobState::kRunning, JobState::kCancelling},
    {JobState::kRunning, JobState::kSucceeded},
    {JobState::kRunning, JobState::kFailed},
    {JobState::kPaused, JobState::kQueued},
    {JobState::kPaused, JobState::kCancelled},
    {JobState::kCancelling, JobState::kCancelled},
};

}  // namespace

absl::string_view NameOf(JobState state) {
  switch (state) {
    case JobState::kQueued:
      return "QUEUED";
    case JobState::kRunning:
      return "RUNNING";
    case JobState::kPaused:
      return "PAUSED";
    case JobState::kCancelling:
      return "CANCELLING";
    case JobState::kSucceeded:
      return "SUCCEEDED";
    case JobState::kFailed:
      return "FAILED";
    case JobState::kCancelled:
      return "CANCELLED";
  }
  SLUICED_CHECK(false);
}

bool IsTerminal(JobState state) {
  return state == JobState::kSucceeded || state == JobState::kFailed ||
         state == JobState::kCancelled;
}

bool IsLegal(JobState from, JobState to) {
  for (const auto& [legal_from, legal_to] : kLegal) {
    if (legal_from == from && legal_to == to) return true;
  }
  return false;
}

}  // namespace sluiced::jobs
