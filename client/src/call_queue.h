// CallQueue: many unary calls in flight at once, from requests encoded beforehand, so
// that a load generator measures the server and not itself. No part of the library's
// interface.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "sluice/client.h"
#include "sluice/result.h"

namespace sluice {

struct PreparedCall {
  std::string method;   // "/sluice.v1.InferenceService/LogProb"
  std::string request;  // The message, encoded.
};

// One connection, without retries. Whoever calls Start calls Next until it says that
// all is over, before the queue goes.
class CallQueue {
 public:
  struct Ended {
    int64_t note = 0;  // Of its Start.
    Status status;
  };

  // Never blocks and never fails, as Client::Connect.
  static std::unique_ptr<CallQueue> Connect(const std::string& address,
                                            const ClientOptions& options);
  virtual ~CallQueue() = default;

  // Thread-safe, never blocks. `call` must last until its end was taken.
  virtual void Start(const PreparedCall& call, int64_t note) = 0;
  // The next call that ends, waited for; nullopt once all have, after Shutdown. One
  // thread at a time.
  virtual std::optional<Ended> Next() = 0;
  // Once, and no Start at the same time or later.
  virtual void Shutdown() = 0;
};

}  // namespace sluice
