#include "server/jobs/job_state.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace sluiced::jobs {
namespace {

using store::JobState;

constexpr JobState kStates[] = {JobState::kQueued,     JobState::kRunning,   JobState::kPaused,
                                JobState::kCancelling, JobState::kSucceeded, JobState::kFailed,
                                JobState::kCancelled};

TEST(JobState, EveryPairIsLegalOrNotAsDocumented) {
  const std::map<std::string, std::set<std::string>> legal = {
      {"QUEUED", {"RUNNING", "PAUSED", "CANCELLED"}},
      {"RUNNING", {"QUEUED", "PAUSED", "CANCELLING", "SUCCEEDED", "FAILED"}},
      {"PAUSED", {"QUEUED", "CANCELLED"}},
      {"CANCELLING", {"CANCELLED"}},
      {"SUCCEEDED", {}},
      {"FAILED", {}},
      {"CANCELLED", {}},
  };
  for (JobState from : kStates) {
    const std::set<std::string>& targets = legal.at(std::string(NameOf(from)));
    for (JobState to : kStates) {
      EXPECT_EQ(IsLegal(from, to), targets.contains(std::string(NameOf(to))))
          << std::string(NameOf(from)) << " -> " << std::string(NameOf(to));
    }
    EXPECT_EQ(IsTerminal(from), targets.empty());
  }
}

}  // namespace
}  // namespace sluiced::jobs
