// HostileCaller: sends calls as no well-behaved client does.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "tests/e2e/hostile_messages.h"

namespace sluice::testing {

// Not thread-safe: one a thread.
class HostileCaller {
 public:
  // On a connection of its own.
  explicit HostileCaller(const std::string& address);

  // Sends the messages whatever the method takes, and all of them, or leaves half way;
  // reads a few replies or none. Blocks for half a second at most. The status is what
  // the call ended with, the caller's own CANCELLED and DEADLINE_EXCEEDED included.
  grpc::Status Send(const HostileCall& call, Dice* dice);
  // Sends all of them, and waits for the end without reading.
  grpc::Status SendWhole(const HostileCall& call);

 private:
  std::shared_ptr<grpc::Channel> channel_;
};

// Whether a caller may see this of a malformed call, or of one that is sound after all.
// INTERNAL and UNKNOWN say that the server is at fault, UNAVAILABLE that it is not there.
// gRPC itself answers a single message that it cannot parse, with UNIMPLEMENTED.
bool Intended(const HostileCall& call, grpc::StatusCode code);

// Bytes that are no HTTP/2, or begin as it does, on a connection that is then left, half
// of them without a goodbye (RST).
void SendGarbage(int port, Dice* dice);

}  // namespace sluice::testing
