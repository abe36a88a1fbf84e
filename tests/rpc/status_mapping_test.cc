#include "server/rpc/status_mapping.h"

#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/common/errors.h"
#include "sluice/v1/status.pb.h"

namespace sluiced::rpc {
namespace {

google::rpc::Status Details(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), static_cast<int>(status.error_code()));
  EXPECT_EQ(details.message(), status.error_message());
  return details;
}

TEST(StatusMapping, OkIsOk) { EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok()); }

TEST(StatusMapping, AFieldBecomesABadRequest) {
  const auto details = Details(ToGrpc(FieldError("spec.layers", "must be positive")));
  ASSERT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/google.rpc.BadRequest");
  google::rpc::BadRequest request;
  ASSERT_TRUE(details.details(0).UnpackTo(&request));
  EXPECT_EQ(request.field_violations(0).field(), "spec.layers");
}

TEST(StatusMapping, AResourceBecomesAResourceInfo) {
  const grpc::Status status = ToGrpc(NotFound("model", "models/wow"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  const auto details = Details(status);
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/google.rpc.ResourceInfo");
  google::rpc::ResourceInfo resource;
  ASSERT_TRUE(details.details(0).UnpackTo(&resource));
  EXPECT_EQ(resource.resource_type(), "model");
  EXPECT_EQ(resource.resource_name(), "models/wow");
}

TEST(StatusMapping, ADelayBecomesARetryInfo) {
  const auto details = Details(ToGrpc(Unavailable("stopping", absl::Milliseconds(1250))));
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/google.rpc.RetryInfo");
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(details.details(0).UnpackTo(&retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 250000000);
}

TEST(StatusMapping, ARefusalBecomesAnErrorInfo) {
  const grpc::Status denied = ToGrpc(ScopeMissing("train", "CreateModel"));
  EXPECT_EQ(denied.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Details(denied).details(0).type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(Details(denied).details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "SCOPE_MISSING");
  EXPECT_EQ(info.domain(), "sluice");
  EXPECT_EQ(info.metadata().at("scope"), "train");

  const grpc::Status stranger = ToGrpc(Unauthenticated("TOKEN_UNKNOWN", "who?"));
  EXPECT_EQ(stranger.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  ASSERT_TRUE(Details(stranger).details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "TOKEN_UNKNOWN");
  EXPECT_TRUE(info.metadata().empty());
}

// gRPC drops a whole answer whose trailers exceed 8 KiB.
TEST(StatusMapping, LongTextsAreCutBetweenCharacters) {
  std::string text = "x";
  while (text.size() < (1 << 20)) text += "\xf0\x9f\x8c\x8a";
  const grpc::Status status = ToGrpc(FieldError(text, text));
  EXPECT_LT(status.error_message().size() * 3 + status.error_details().size() * 4 / 3, 8192u);
  EXPECT_EQ(Details(status).details_size(), 1);
}

}  // namespace
}  // namespace sluiced::rpc
