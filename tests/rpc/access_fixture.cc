#include "tests/rpc/access_fixture.h"

#include <grpcpp/generic/generic_stub.h>

#include <chrono>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/access/token_table.h"

namespace sluiced::testing {

std::string TokenLine(absl::string_view name, absl::string_view scopes, absl::string_view token) {
  const access::TokenHash hash = access::HashToken(token);
  return absl::StrCat(name, " ", scopes, " sha256:",
                      absl::BytesToHexString(absl::string_view(
                          reinterpret_cast<const char*>(hash.data()), hash.size())),
                      "\n");
}

void AddToken(grpc::ClientContext* context, const std::string& token) {
  context->AddMetadata("authorization", absl::StrCat("Bearer ", token));
}

Seen CallEmpty(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
               const std::string& token) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  if (!token.empty()) AddToken(&context, token);
  grpc::CompletionQueue queue;
  const auto done = [&queue] {
    void* tag;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  done();
  const grpc::Slice nothing("");
  call->WriteLast(grpc::ByteBuffer(&nothing, 1), grpc::WriteOptions(), nullptr);
  done();
  grpc::ByteBuffer reply;
  do {
    call->Read(&reply, nullptr);
  } while (done());
  grpc::Status status;
  call->Finish(&status, nullptr);
  done();
  return SeenBy(status);
}

bool Await(const std::function<grpc::StatusCode()>& call, grpc::StatusCode code) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (call() != code) {
    if (std::chrono::steady_clock::now() > give_up) return false;
  }
  return true;
}

AccessTest::AccessTest() { sluice::testing::WriteText(File("tokens"), Tokens()); }

std::string AccessTest::Tokens() const {
  return TokenLine("i", "infer", "infer") + TokenLine("t", "train", "train") +
         TokenLine("a", "admin", "admin") + TokenLine("x", "infer,train,admin", "all");
}

Config AccessTest::WithTokens() const {
  Config config;
  config.access.token_file = File("tokens");
  config.access.reload_interval = std::chrono::milliseconds(1);
  return config;
}

}  // namespace sluiced::testing
