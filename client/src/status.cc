#include "client/src/status.h"

#include <google/protobuf/any.pb.h>

#include <iterator>

#include "sluice/v1/status.pb.h"

namespace sluice {
namespace {

void ReadDetail(const google::protobuf::Any& detail, Status* status) {
  google::rpc::BadRequest bad_request;
  google::rpc::ResourceInfo resource;
  google::rpc::RetryInfo retry;
  google::rpc::ErrorInfo info;
  google::rpc::RequestInfo request;
  if (detail.Is<google::rpc::BadRequest>() && detail.UnpackTo(&bad_request)) {
    if (bad_request.field_violations_size() > 0) {
      status->field = bad_request.field_violations(0).field();
    }
  } else if (detail.Is<google::rpc::ResourceInfo>() && detail.UnpackTo(&resource)) {
    status->resource = resource.resource_name();
  } else if (detail.Is<google::rpc::ErrorInfo>() && detail.UnpackTo(&info)) {
    const auto scope = info.metadata().find("scope");
    if (scope != info.metadata().end()) status->scope = scope->second;
  } else if (detail.Is<google::rpc::RequestInfo>() && detail.UnpackTo(&request)) {
    status->request_id = request.request_id();
  } else if (detail.Is<google::rpc::RetryInfo>() && detail.UnpackTo(&retry)) {
    const google::protobuf::Duration& delay = retry.retry_delay();
    status->retry_seconds = static_cast<double>(delay.seconds()) + delay.nanos() * 1e-9;
  }
}

}  // namespace

const char* NameOf(Code code) {
  static constexpr const char* kNames[] = {"OK",
                                           "CANCELLED",
                                           "UNKNOWN",
                                           "INVALID_ARGUMENT",
                                           "DEADLINE_EXCEEDED",
                                           "NOT_FOUND",
                                           "ALREADY_EXISTS",
                                           "PERMISSION_DENIED",
                                           "RESOURCE_EXHAUSTED",
                                           "FAILED_PRECONDITION",
                                           "ABORTED",
                                           "OUT_OF_RANGE",
                                           "UNIMPLEMENTED",
                                           "INTERNAL",
                                           "UNAVAILABLE",
                                           "DATA_LOSS",
                                           "UNAUTHENTICATED"};
  const auto index = static_cast<size_t>(code);
  return index < std::size(kNames) ? kNames[index] : "UNKNOWN";
}

std::string Status::ToString() const {
  return message.empty() ? NameOf(code) : std::string(NameOf(code)) + ": " + message;
}

namespace {

// gRPC passes on what OpenSSL says, which is not why, and helps nobody.
void ExplainHandshake(Status* status) {
  if (status->code != Code::kUnavailable ||
      status->message.find("certificate verify failed") == std::string::npos) {
    return;
  }
  status->message +=
      ". The server's certificate is not believed: it may have expired, be for another name than "
      "the address (--tls-server-name), or come from an authority that --tls-ca does not hold";
}

}  // namespace

Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return Status{};
  const int number = static_cast<int>(status.error_code());
  const bool known = number > 0 && number <= static_cast<int>(Code::kUnauthenticated);
  Status result;
  result.code = known ? static_cast<Code>(number) : Code::kUnknown;
  result.message = status.error_message();
  ExplainHandshake(&result);
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) ReadDetail(detail, &result);
  }
  return result;
}

Status Failure(Code code, std::string message) {
  Status status;
  status.code = code;
  status.message = std::move(message);
  return status;
}

Status InvalidField(const std::string& field, const std::string& what) {
  Status status = Failure(Code::kInvalidArgument, field + ": " + what);
  status.field = field;
  return status;
}

Status MalformedReply(const std::string& what) {
  return Failure(Code::kInternal, "malformed reply: " + what);
}

}  // namespace sluice
