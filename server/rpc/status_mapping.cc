#include "server/rpc/status_mapping.h"

#include <google/protobuf/any.pb.h>

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/common/errors.h"
#include "sluice/v1/status.pb.h"

namespace sluiced::rpc {
namespace {

// gRPC refuses metadata of more than 8 KiB in all; the message travels twice, once
// percent-encoded to up to three times its size.
constexpr size_t kMaxText = 700;

// Ends before a character that would be cut in two.
std::string Cut(absl::string_view text) {
  if (text.size() <= kMaxText) return std::string(text);
  size_t end = kMaxText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

void AddDetails(const absl::Status& status, google::rpc::Status* out) {
  if (const auto field = FieldOf(status)) {
    google::rpc::BadRequest detail;
    auto* violation = detail.add_field_violations();
    violation->set_field(Cut(*field));
    violation->set_description(out->message());
    out->add_details()->PackFrom(detail);
  }
  if (const auto resource = ResourceOf(status)) {
    google::rpc::ResourceInfo detail;
    detail.set_resource_type(Cut(resource->type));
    detail.set_resource_name(Cut(resource->name));
    detail.set_description(out->message());
    out->add_details()->PackFrom(detail);
  }
  if (const auto reason = ReasonOf(status)) {
    google::rpc::ErrorInfo detail;
    detail.set_reason(reason->code);
    detail.set_domain("sluice");
    if (!reason->scope.empty()) (*detail.mutable_metadata())["scope"] = reason->scope;
    out->add_details()->PackFrom(detail);
  }
  if (const auto delay = RetryDelayOf(status)) {
    google::rpc::RetryInfo detail;
    const int64_t ms = absl::ToInt64Milliseconds(*delay);
    detail.mutable_retry_delay()->set_seconds(ms / 1000);
    detail.mutable_retry_delay()->set_nanos(static_cast<int32_t>(ms % 1000 * 1000000));
    out->add_details()->PackFrom(detail);
  }
}

void AddRequestId(absl::string_view request_id, google::rpc::Status* out) {
  if (request_id.empty()) return;
  google::rpc::RequestInfo detail;
  detail.set_request_id(std::string(request_id));
  out->add_details()->PackFrom(detail);
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status, absl::string_view request_id) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(Cut(status.message()));
  AddDetails(status, &details);
  AddRequestId(request_id, &details);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), details.message(),
                      details.SerializeAsString());
}

}  // namespace sluiced::rpc
