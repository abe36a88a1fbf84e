#include "server/rpc/headers.h"

#include <iterator>

#include "absl/strings/string_view.h"
#include "server/observe/request_id.h"

namespace sluiced::rpc {
namespace {

// Empty unless it came just once.
absl::string_view OnlyValue(const grpc::CallbackServerContext& context, const char* header) {
  const auto [begin, end] = context.client_metadata().equal_range(header);
  if (begin == end || std::next(begin) != end) return "";
  return {begin->second.data(), begin->second.size()};
}

}  // namespace

std::string RequestIdOf(const grpc::CallbackServerContext& context) {
  const absl::string_view given = OnlyValue(context, kRequestIdHeader);
  return observe::IsRequestId(given) ? std::string(given) : observe::NewRequestId();
}

std::optional<observe::TraceContext> TraceOf(const grpc::CallbackServerContext& context) {
  return observe::ParseTraceparent(OnlyValue(context, "traceparent"));
}

}  // namespace sluiced::rpc
