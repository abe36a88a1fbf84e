// From the wire's Timestamp.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include "sluice/types.h"

namespace sluice {

inline Time DecodeTime(const google::protobuf::Timestamp& in) {
  const auto since_epoch =
      std::chrono::seconds(in.seconds()) +
      std::chrono::duration_cast<Time::duration>(std::chrono::nanoseconds(in.nanos()));
  return Time(std::chrono::duration_cast<Time::duration>(since_epoch));
}

}  // namespace sluice
