#include "server/rpc/gate.h"

#include <grpcpp/security/auth_context.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/access/address.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"

namespace sluiced::rpc {
namespace {

constexpr absl::string_view kBearer = "Bearer ";

// "Bearer TOKEN" (RFC 6750; the scheme in any case).
absl::StatusOr<absl::string_view> TokenOf(const grpc::CallbackServerContext& context) {
  const auto [begin, end] = context.client_metadata().equal_range("authorization");
  if (begin == end) {
    return Unauthenticated("TOKEN_MISSING",
                           "the server takes calls with a token: authorization: Bearer TOKEN");
  }
  const absl::string_view value(begin->second.data(), begin->second.size());
  if (std::next(begin) != end || !absl::StartsWithIgnoreCase(value, kBearer)) {
    return Unauthenticated("TOKEN_MALFORMED", "authorization is not one Bearer TOKEN");
  }
  return absl::StripAsciiWhitespace(value.substr(kBearer.size()));
}

absl::Status CheckGrant(const RpcInfo& rpc, Pass* pass) {
  const access::Grant* grant = pass->table->Find(pass->token);
  if (grant == nullptr) return Unauthenticated("TOKEN_UNKNOWN", "the server knows no such token");
  pass->name = grant->name;
  if (grant->scopes.Allow(rpc.scope)) return absl::OkStatus();
  return ScopeMissing(access::NameOf(rpc.scope),
                      absl::string_view(rpc.name.data(), rpc.name.size()));
}

// Names from certificates may hold anything, and go into logs.
std::string Printable(const grpc::string_ref& name) {
  constexpr size_t kMaxName = 64;
  std::string text(name.data(), std::min(name.size(), kMaxName));
  for (char& c : text) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) c = '_';
  }
  return text;
}

// Where clients show certificates, a caller has the first name in its own.
std::string CertificateName(const grpc::CallbackServerContext& context) {
  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return "";
  const std::vector<grpc::string_ref> names = auth->GetPeerIdentity();
  return names.empty() ? "" : Printable(names.front());
}

}  // namespace

absl::Status Admit(const access::Access& access, const RpcInfo& rpc,
                   const grpc::CallbackServerContext& context, Pass* pass) {
  if (access.tokens() != nullptr) {
    ASSIGN_OR_RETURN(const absl::string_view token, TokenOf(context));
    pass->token = access::HashToken(token);
    pass->table = access.tokens()->table();
    return CheckGrant(rpc, pass);
  }
  if (access.tls() != nullptr && access.tls()->asks_clients()) {
    pass->name = CertificateName(context);
  }
  return absl::OkStatus();
}

absl::Status AdmitAgain(const access::Access& access, const RpcInfo& rpc, Pass* pass) {
  if (access.tokens() == nullptr) return absl::OkStatus();
  std::shared_ptr<const access::TokenTable> now = access.tokens()->table();
  if (now == pass->table) return absl::OkStatus();
  pass->table = std::move(now);
  return CheckGrant(rpc, pass);
}

absl::Status CheckRate(const access::Access& access, const Pass& pass,
                       const grpc::CallbackServerContext& context) {
  if (access.limiter() == nullptr) return absl::OkStatus();
  const std::string caller = pass.name.empty() ? access::PeerAddress(context.peer()) : pass.name;
  const absl::Duration wait = access.limiter()->Take(caller);
  if (wait == absl::ZeroDuration()) return absl::OkStatus();
  return WithReason("RATE_LIMIT",
                    Exhausted(absl::StrCat(caller, " calls more often than --rate-limit lets it"),
                              absl::Ceil(wait, absl::Milliseconds(1))));
}

}  // namespace sluiced::rpc
