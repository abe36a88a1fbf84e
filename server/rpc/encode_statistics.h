// What the server's metrics say, on the wire.
#pragma once

#include "absl/time/time.h"
#include "server/observe/metrics.h"
#include "sluice/v1/server.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

// `now` is when this is asked.
void EncodeStatistics(observe::Metrics& metrics, absl::Time now, v1::Statistics* out);

}  // namespace sluiced::rpc
