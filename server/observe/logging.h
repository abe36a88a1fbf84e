// Where the server's log goes: to stderr, one line a message.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"

namespace sluiced::observe {

struct LogOptions {
  std::string level = "info";   // trace, debug, info, warn, error, off
  std::string format = "text";  // text, or json: an object a line.
};

// Sets up spdlog's default logger for the process, and sends gRPC's own messages
// there. INVALID_ARGUMENT naming the option.
absl::Status SetUpLogging(const LogOptions& options);

struct LogField {
  enum Place { kBesideMessage, kInMessage };

  // The value is made in place: of temporaries GCC 14 warns without reason.
  template <typename Value>
  LogField(const char* the_name, Value&& the_value, Place the_place = kBesideMessage)
      : name(the_name), value(std::forward<Value>(the_value)), place(the_place) {}

  const char* name;
  std::variant<std::string, int64_t, double> value;
  Place place;  // In the message: the text says it already.
};
// A line at debug: "message name=value name=value"; in JSON an object that has every
// field beside the message.
void LogDebug(const std::string& message, const std::vector<LogField>& fields);

}  // namespace sluiced::observe
