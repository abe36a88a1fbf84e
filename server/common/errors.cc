#include "server/common/errors.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace sluiced {
namespace {

constexpr absl::string_view kField = "sluice/field";
constexpr absl::string_view kResource = "sluice/resource";
constexpr absl::string_view kReason = "sluice/reason";
constexpr absl::string_view kRetry = "sluice/retry-ms";

absl::Status With(absl::Status status, absl::string_view url, std::string payload) {
  status.SetPayload(url, absl::Cord(std::move(payload)));
  return status;
}

std::optional<std::string> Payload(const absl::Status& status, absl::string_view url) {
  auto cord = status.GetPayload(url);
  if (!cord) return std::nullopt;
  return std::string(*cord);
}

}  // namespace

absl::Status FieldError(absl::string_view field, absl::string_view what) {
  return With(absl::InvalidArgumentError(absl::StrCat(field, ": ", what)), kField,
              std::string(field));
}

absl::Status PrefixField(absl::string_view prefix, absl::Status status) {
  auto field = FieldOf(status);
  if (!field) return status;
  std::string what(absl::StripPrefix(status.message(), absl::StrCat(*field, ": ")));
  return FieldError(absl::StrCat(prefix, ".", *field), what);
}

absl::Status NotFound(absl::string_view type, absl::string_view name) {
  return With(absl::NotFoundError(absl::StrCat(type, " ", name, " does not exist")), kResource,
              absl::StrCat(type, "\n", name));
}

absl::Status NotFound(absl::string_view type, absl::string_view name, absl::string_view hint) {
  return With(absl::NotFoundError(absl::StrCat(type, " ", name, " does not exist; ", hint)),
              kResource, absl::StrCat(type, "\n", name));
}

absl::Status AlreadyExists(absl::string_view type, absl::string_view name) {
  return With(absl::AlreadyExistsError(absl::StrCat(type, " ", name, " exists already")), kResource,
              absl::StrCat(type, "\n", name));
}

absl::Status Exhausted(absl::string_view what, absl::Duration delay) {
  return With(absl::ResourceExhaustedError(what), kRetry,
              absl::StrCat(absl::ToInt64Milliseconds(delay)));
}

absl::Status Unavailable(absl::string_view what, absl::Duration delay) {
  return With(absl::UnavailableError(what), kRetry, absl::StrCat(absl::ToInt64Milliseconds(delay)));
}

absl::Status WithReason(absl::string_view reason, absl::Status status) {
  return With(std::move(status), kReason, absl::StrCat(reason, "\n"));
}

absl::Status Unauthenticated(absl::string_view reason, absl::string_view what) {
  return WithReason(reason, absl::UnauthenticatedError(what));
}

absl::Status ScopeMissing(absl::string_view scope, absl::string_view method) {
  return With(
      absl::PermissionDeniedError(absl::StrCat(method, " needs a token with the scope ", scope)),
      kReason, absl::StrCat("SCOPE_MISSING\n", scope));
}

std::optional<std::string> FieldOf(const absl::Status& status) { return Payload(status, kField); }

std::optional<ResourceName> ResourceOf(const absl::Status& status) {
  auto text = Payload(status, kResource);
  if (!text) return std::nullopt;
  std::pair<std::string, std::string> parts = absl::StrSplit(*text, absl::MaxSplits('\n', 1));
  return ResourceName{parts.first, parts.second};
}

std::optional<Reason> ReasonOf(const absl::Status& status) {
  auto text = Payload(status, kReason);
  if (!text) return std::nullopt;
  std::pair<std::string, std::string> parts = absl::StrSplit(*text, absl::MaxSplits('\n', 1));
  return Reason{parts.first, parts.second};
}

std::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  auto text = Payload(status, kRetry);
  int64_t ms = 0;
  if (!text || !absl::SimpleAtoi(*text, &ms)) return std::nullopt;
  return absl::Milliseconds(ms);
}

}  // namespace sluiced
