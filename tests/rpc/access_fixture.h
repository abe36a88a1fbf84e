// A server that asks who calls, and callers of every kind.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/rpc/raw_call.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_server.h"
#include "tests/support/token_line.h"
#include "tests/support/written_file.h"

namespace sluiced::testing {

// What one empty message to a method of any shape comes to. No `token`: none is sent.
Seen CallEmpty(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
               const std::string& token);

// Calls until the answer has this code: the server takes up files on a thread of its
// own. Gives up after a while.
bool Await(const std::function<grpc::StatusCode()>& call, grpc::StatusCode code);

// Callers "i", "t", "a" and "x" hold the tokens "infer", "train", "admin" and, for all
// scopes, "all".
class AccessTest : public ::testing::Test {
 protected:
  AccessTest();

  std::string Tokens() const;
  Config WithTokens() const;
  std::string File(const std::string& name) const { return files_.path() + "/" + name; }

  const sluice::testing::TempDir files_;
};

}  // namespace sluiced::testing
