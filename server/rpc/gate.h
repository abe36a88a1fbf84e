// Admit: who comes in, by the token, the certificate or the address of a call.
#pragma once

#include <grpcpp/server_context.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "server/access/access.h"
#include "server/rpc/rpc.h"

namespace sluiced::rpc {

// With which a call came in.
struct Pass {
  std::string name;  // Of the caller; empty where the server asks nobody.
  access::TokenHash token = {};
  std::shared_ptr<const access::TokenTable> table;  // That had the token; or nullptr.
};

// UNAUTHENTICATED without a token that the server knows, PERMISSION_DENIED naming the
// scope where it lacks what `rpc` needs; `pass` has the caller's name then too. Neither
// says more than the caller may know: never whether what it asks for exists.
absl::Status Admit(const access::Access& access, const RpcInfo& rpc,
                   const grpc::CallbackServerContext& context, Pass* pass);

// The same for what goes on for long, with the tokens as they are now.
absl::Status AdmitAgain(const access::Access& access, const RpcInfo& rpc, Pass* pass);

// RESOURCE_EXHAUSTED with when to come again where the caller comes too often: by its
// name, else by its address.
absl::Status CheckRate(const access::Access& access, const Pass& pass,
                       const grpc::CallbackServerContext& context);

}  // namespace sluiced::rpc
