#include "server/observe/request_log.h"

#include <spdlog/spdlog.h>

#include <cmath>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/observe/logging.h"

namespace sluiced::observe {
namespace {

constexpr size_t kLongestResource = 128;

// Of what a caller sent: nothing that ends a line or moves a cursor.
std::string Printable(std::string text) {
  text.resize(std::min(text.size(), kLongestResource));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

double Milliseconds(double seconds) { return std::round(seconds * 1e6) / 1e3; }

}  // namespace

bool RequestLog::Wanted() { return spdlog::should_log(spdlog::level::debug); }

void RequestLog::Write(const absl::Status& status, const CallTimer& timer) const {
  if (!Wanted()) return;
  const std::string named = Printable(resource);
  const std::string code = absl::StatusCodeToString(status.code());
  std::vector<LogField> fields;
  fields.emplace_back("method", method, LogField::kInMessage);
  if (!named.empty()) {
    const char* name = absl::StartsWith(named, "models/") ? "model" : "resource";
    fields.emplace_back(name, named, LogField::kInMessage);
  }
  fields.emplace_back("code", code, LogField::kInMessage);
  if (!caller.empty()) fields.emplace_back("caller", caller);
  fields.emplace_back("rows", rows);
  fields.emplace_back("ms", Milliseconds(timer.total()));
  fields.emplace_back("queue_ms", Milliseconds(timer.queued()));
  fields.emplace_back("compute_ms", Milliseconds(timer.running()));
  fields.emplace_back("request_id", request_id);
  if (trace) {
    fields.emplace_back("trace_id", trace->trace_id);
    fields.emplace_back("parent_span_id", trace->parent_id);
  }
  LogDebug(absl::StrCat(method, named.empty() ? "" : " ", named, " ", code), fields);
}

}  // namespace sluiced::observe
