// CallRaw: a method of any shape, with messages as bytes.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "tests/support/test_server.h"

namespace sluiced::testing {

void AddToken(grpc::ClientContext* context, const std::string& token);

struct RawReply {
  Seen seen;
  std::string first;  // Of the messages that came, if one did.
};

// Sends one message and reads all that comes. No `token`: none is sent.
RawReply CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                 const std::string& request, const std::string& token = "");

}  // namespace sluiced::testing
