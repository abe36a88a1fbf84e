// MetricsHttp: metrics and probes over HTTP, for Prometheus and for what runs the server.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/observe/metrics.h"

namespace sluiced::observe {

// Answers GET and HEAD, on threads of its own:
//   /metrics  all of Metrics;
//   /healthz  200: the process lives;
//   /readyz   200 while the server takes calls; 503 before that, and while it stops.
// The destructor waits for answers under way.
class MetricsHttp {
 public:
  // At HOST:PORT (0: a free port). INVALID_ARGUMENT for what is no address, UNAVAILABLE
  // for one that cannot be had. Does not own the metrics.
  static absl::StatusOr<std::unique_ptr<MetricsHttp>> Start(const std::string& address,
                                                            const Metrics* metrics);
  virtual ~MetricsHttp() = default;
  static absl::Status CheckAddress(const std::string& address);

  virtual int port() const = 0;  // Bound.
};

}  // namespace sluiced::observe
