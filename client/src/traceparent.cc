#include "client/src/traceparent.h"

#include <regex>

#include "client/src/status.h"
#include "sluice/client.h"

namespace sluice {

bool IsTraceparent(const std::string& text) {
  // Ids of zeros alone are none.
  static const std::regex form("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}");
  return std::regex_match(text, form);
}

Status CheckTraceparent(const std::string& traceparent) {
  if (traceparent.empty() || IsTraceparent(traceparent)) return Status();
  return InvalidField("traceparent",
                      "is not 00-TRACE-PARENT-FLAGS, of 32, 16 and 2 hex digits in lower case");
}

}  // namespace sluice
