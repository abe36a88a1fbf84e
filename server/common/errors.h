// Errors with what the wire's error details need, as payloads of absl::Status.
// The rpc layer turns the payloads into google.rpc.Status details; nothing else
// reads them.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluiced {

// INVALID_ARGUMENT naming the field, as its path in the request ("spec.layers").
absl::Status FieldError(absl::string_view field, absl::string_view what);

// The same error with `prefix` put before the field it names ("spec" + "layers").
absl::Status PrefixField(absl::string_view prefix, absl::Status status);

// NOT_FOUND and ALREADY_EXISTS naming a resource ("model", "models/wow").
absl::Status NotFound(absl::string_view type, absl::string_view name);
// With what to ask for instead.
absl::Status NotFound(absl::string_view type, absl::string_view name, absl::string_view hint);
absl::Status AlreadyExists(absl::string_view type, absl::string_view name);

// RESOURCE_EXHAUSTED and UNAVAILABLE that may be tried again after `delay`.
absl::Status Exhausted(absl::string_view what, absl::Duration delay);
absl::Status Unavailable(absl::string_view what, absl::Duration delay);

// `status` saying for programs why ("QUEUE_FULL").
absl::Status WithReason(absl::string_view reason, absl::Status status);

// UNAUTHENTICATED: the server does not know who calls. `reason` is for programs
// ("TOKEN_UNKNOWN").
absl::Status Unauthenticated(absl::string_view reason, absl::string_view what);

// PERMISSION_DENIED naming the scope ("train") that `method` needs.
absl::Status ScopeMissing(absl::string_view scope, absl::string_view method);

// What the payloads of `status` say; nullopt where it carries none.
std::optional<std::string> FieldOf(const absl::Status& status);
struct ResourceName {
  std::string type;
  std::string name;
};
std::optional<ResourceName> ResourceOf(const absl::Status& status);
std::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

struct Reason {
  std::string code;   // "SCOPE_MISSING"
  std::string scope;  // The one that is missing; empty with other codes.
};
std::optional<Reason> ReasonOf(const absl::Status& status);

}  // namespace sluiced
