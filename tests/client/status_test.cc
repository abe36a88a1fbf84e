#include "client/src/status.h"

#include <google/protobuf/any.pb.h>
#include <gtest/gtest.h>

#include "sluice/types.h"
#include "sluice/v1/status.pb.h"

namespace sluice {
namespace {

grpc::Status WithDetail(grpc::StatusCode code, const google::protobuf::Message& detail) {
  google::rpc::Status status;
  status.set_code(code);
  status.set_message("why");
  status.add_details()->PackFrom(detail);
  return {code, "why", status.SerializeAsString()};
}

TEST(Status, EveryCodeHasItsNameAndNumber) {
  for (int number = 1; number <= 16; ++number) {
    const Status status = FromGrpc({static_cast<grpc::StatusCode>(number), "why"});
    EXPECT_EQ(static_cast<int>(status.code), number);
    EXPECT_NE(status.ToString().find(": why"), std::string::npos);
  }
  EXPECT_STREQ(NameOf(Code::kNotFound), "NOT_FOUND");
  EXPECT_STREQ(NameOf(Code::kUnauthenticated), "UNAUTHENTICATED");
  EXPECT_STREQ(NameOf(static_cast<Code>(99)), "UNKNOWN");
  EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok());
}

TEST(Status, DetailsAreRead) {
  google::rpc::BadRequest bad_request;
  bad_request.add_field_violations()->set_field("spec.layers");
  const Status invalid = FromGrpc(WithDetail(grpc::INVALID_ARGUMENT, bad_request));
  EXPECT_EQ(invalid.code, Code::kInvalidArgument);
  EXPECT_EQ(invalid.field, "spec.layers");
  EXPECT_EQ(invalid.message, "why");

  google::rpc::ResourceInfo resource;
  resource.set_resource_name("models/wow");
  EXPECT_EQ(FromGrpc(WithDetail(grpc::NOT_FOUND, resource)).resource, "models/wow");

  google::rpc::ErrorInfo info;
  info.set_reason("SCOPE_MISSING");
  (*info.mutable_metadata())["scope"] = "train";
  EXPECT_EQ(FromGrpc(WithDetail(grpc::PERMISSION_DENIED, info)).scope, "train");

  google::rpc::RequestInfo request;
  request.set_request_id("3f2504e0");
  EXPECT_EQ(FromGrpc(WithDetail(grpc::INTERNAL, request)).request_id, "3f2504e0");

  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  retry.mutable_retry_delay()->set_nanos(500000000);
  EXPECT_EQ(FromGrpc(WithDetail(grpc::RESOURCE_EXHAUSTED, retry)).retry_seconds, 1.5);
}

TEST(Status, DetailsThatDoNotParseArePassedOver) {
  for (const std::string& details : {std::string("\xff\xff\xff"), std::string(1000, 'x')}) {
    const Status status = FromGrpc({grpc::NOT_FOUND, "why", details});
    EXPECT_EQ(status.ToString(), "NOT_FOUND: why");
    EXPECT_TRUE(status.resource.empty());
  }
}

TEST(JobStates, NamesAndEnds) {
  EXPECT_STREQ(NameOf(JobState::kQueued), "QUEUED");
  EXPECT_STREQ(NameOf(JobState::kCancelled), "CANCELLED");
  for (const JobState state :
       {JobState::kQueued, JobState::kRunning, JobState::kPaused, JobState::kCancelling}) {
    EXPECT_FALSE(IsTerminal(state));
  }
  for (const JobState state : {JobState::kSucceeded, JobState::kFailed, JobState::kCancelled}) {
    EXPECT_TRUE(IsTerminal(state));
  }
}

}  // namespace
}  // namespace sluice
