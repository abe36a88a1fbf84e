#include "server/observe/rejection.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/common/errors.h"

namespace sluiced::observe {
namespace {

TEST(Rejection, TheReasonIsThatOfTheStatus) {
  const absl::Status full = Exhausted("full", absl::Seconds(1));
  EXPECT_EQ(RejectionOf(WithReason("QUEUE_FULL", full), false), "queue_full");
  EXPECT_EQ(RejectionOf(WithReason("BYTES_IN_FLIGHT", full), false), "bytes_in_flight");
  EXPECT_EQ(RejectionOf(WithReason("DRAINING", Unavailable("stops", absl::Seconds(1))), false),
            "draining");
  EXPECT_EQ(RejectionOf(Unauthenticated("TOKEN_UNKNOWN", "who?"), false), "unauthenticated");
  EXPECT_EQ(RejectionOf(ScopeMissing("train", "CreateModel"), false), "permission_denied");
}

TEST(Rejection, ADeadlineIsOneOnlyWhereNobodyWorked) {
  const absl::Status late = absl::DeadlineExceededError("late");
  EXPECT_EQ(RejectionOf(late, /*ran=*/false), "deadline");
  EXPECT_EQ(RejectionOf(late, /*ran=*/true), "");
}

TEST(Rejection, WhatWouldFailAtAnyTimeIsNone) {
  for (const absl::Status& status :
       {absl::OkStatus(), FieldError("x", "bad"), NotFound("model", "models/x"),
        absl::UnavailableError("the disk is gone"), absl::CancelledError("left")}) {
    EXPECT_EQ(RejectionOf(status, false), "") << status;
  }
}

// A label never comes from what is not in the list.
TEST(Rejection, UnknownReasonsAreOtherLimits) {
  const absl::Status full = Exhausted("full", absl::Seconds(1));
  EXPECT_EQ(RejectionOf(full, true), "other_limit");
  EXPECT_EQ(RejectionOf(WithReason("NOVEL", full), true), "other_limit");
}

}  // namespace
}  // namespace sluiced::observe
