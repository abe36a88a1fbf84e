// Status and Result: how every call of the client says that it failed.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace sluice {

// The canonical codes of gRPC.
enum class Code {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};
const char* NameOf(Code code);  // "NOT_FOUND"

struct Status {
  Code code = Code::kOk;
  std::string message;
  std::string field;                    // INVALID_ARGUMENT: the field to mend.
  std::string resource;                 // NOT_FOUND, ALREADY_EXISTS: "models/wow".
  std::string scope;                    // PERMISSION_DENIED: what the token lacks.
  std::optional<double> retry_seconds;  // When the server says so.
  std::string request_id;               // Under which the server's log has the call.

  bool ok() const { return code == Code::kOk; }
  std::string ToString() const;  // "NOT_FOUND: model models/wow does not exist"
};

// A Status of nothing but these two.
Status Failure(Code code, std::string message);

// A value or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  // Only when ok().
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace sluice
