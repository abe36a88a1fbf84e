#include "server/common/errors.h"

#include <gtest/gtest.h>

#include <string>

#include "server/common/resource_id.h"

namespace sluiced {
namespace {

TEST(Errors, FieldsTravelAndTakePrefixes) {
  const absl::Status status = FieldError("layers", "0 is too few");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FieldOf(status), "layers");
  const absl::Status prefixed = PrefixField("spec", status);
  EXPECT_EQ(FieldOf(prefixed), "spec.layers");
  EXPECT_EQ(prefixed.message(), "spec.layers: 0 is too few");
  EXPECT_EQ(FieldOf(PrefixField("model", prefixed)), "model.spec.layers");
}

TEST(Errors, PrefixLeavesOthersAlone) {
  EXPECT_TRUE(PrefixField("spec", absl::OkStatus()).ok());
  const absl::Status missing = NotFound("model", "models/wow");
  EXPECT_EQ(PrefixField("spec", missing), missing);
}

TEST(Errors, ResourcesAndDelaysTravel) {
  const absl::Status missing = NotFound("model", "models/wow");
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ResourceOf(missing)->type, "model");
  EXPECT_EQ(ResourceOf(missing)->name, "models/wow");
  const absl::Status hinted = NotFound("model", "models/wow", "ask for another");
  EXPECT_EQ(ResourceOf(hinted)->name, "models/wow");
  EXPECT_EQ(hinted.message(), "model models/wow does not exist; ask for another");
  EXPECT_EQ(AlreadyExists("model", "models/wow").code(), absl::StatusCode::kAlreadyExists);
  const absl::Status full = Exhausted("queue full", absl::Milliseconds(250));
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(RetryDelayOf(full), absl::Milliseconds(250));
  EXPECT_EQ(Unavailable("draining", absl::Seconds(1)).code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(FieldOf(full).has_value());
  EXPECT_FALSE(ResourceOf(full).has_value());
  EXPECT_FALSE(RetryDelayOf(missing).has_value());
}

TEST(Errors, ReasonsOfRefusalsTravel) {
  const absl::Status stranger = Unauthenticated("TOKEN_MISSING", "who?");
  EXPECT_EQ(stranger.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ReasonOf(stranger)->code, "TOKEN_MISSING");
  EXPECT_EQ(ReasonOf(stranger)->scope, "");
  const absl::Status denied = ScopeMissing("train", "CreateModel");
  EXPECT_EQ(denied.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(denied)->code, "SCOPE_MISSING");
  EXPECT_EQ(ReasonOf(denied)->scope, "train");
  EXPECT_FALSE(ReasonOf(absl::OkStatus()).has_value());
}

TEST(ResourceId, TakesWhatTheGrammarTakes) {
  const std::string longest(63, 'a');
  for (const std::string& id :
       {std::string("a"), std::string("7"), std::string("wow-2"), std::string("a--b"), longest}) {
    EXPECT_TRUE(CheckId("model_id", id).ok()) << id;
  }
}

TEST(ResourceId, RefusesTheRestNamingTheField) {
  const std::string too_long(64, 'a');
  const std::string with_nul("a\0b", 3);
  for (const std::string& id :
       {std::string(), std::string("-a"), std::string("a-"), std::string("A"), std::string("a_b"),
        std::string("a/b"), std::string("../a"), std::string("a b"), std::string("\xc3\xa4"),
        std::string("a\n"), with_nul, too_long, std::string(1'000'000, 'x')}) {
    const absl::Status status = CheckId("model_id", id);
    EXPECT_EQ(FieldOf(status), "model_id");
    EXPECT_LT(status.message().size(), 500u);
  }
}

}  // namespace
}  // namespace sluiced
