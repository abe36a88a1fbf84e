#include "server/observe/request_log.h"

#include <spdlog/spdlog.h>

namespace sluiced::observe {

void RequestLog::Write(const absl::Status& status) const {
  if (!spdlog::should_log(spdlog::level::debug)) return;
  const double ms = absl::ToDoubleMilliseconds(absl::Now() - start);
  spdlog::debug("{} {} rows={} ms={:.2f} {}{}", method, resource.substr(0, 128), rows, ms,
                absl::StatusCodeToString(status.code()), caller.empty() ? "" : " caller=" + caller);
}

}  // namespace sluiced::observe
