#include "server/access/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace sluiced::access {
namespace {

bool ParseIpv4(const std::string& text, in_addr* address) {
  return inet_pton(AF_INET, text.c_str(), address) == 1;
}

// With or without its brackets.
bool ParseIpv6(absl::string_view text, in6_addr* address) {
  if (absl::ConsumePrefix(&text, "[") && !absl::ConsumeSuffix(&text, "]")) return false;
  return inet_pton(AF_INET6, std::string(text).c_str(), address) == 1;
}

}  // namespace

std::pair<absl::string_view, absl::string_view> SplitAddress(absl::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos) return {address, ""};
  return {address.substr(0, colon), address.substr(colon + 1)};
}

bool IsLocal(absl::string_view address) {
  if (absl::StartsWith(address, "unix:")) return true;
  const absl::string_view host = SplitAddress(address).first;
  if (host == "localhost") return true;
  in_addr v4;
  if (ParseIpv4(std::string(host), &v4)) return (ntohl(v4.s_addr) >> 24) == IN_LOOPBACKNET;
  in6_addr v6;
  return ParseIpv6(host, &v6) && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string PeerAddress(absl::string_view peer) {
  // gRPC escapes the brackets: ipv6:%5B::1%5D:4711
  const std::string plain = absl::StrReplaceAll(peer, {{"%5B", "["}, {"%5D", "]"}});
  absl::string_view rest = plain;
  if (absl::ConsumePrefix(&rest, "ipv4:")) return std::string(SplitAddress(rest).first);
  in6_addr v6;
  if (!absl::ConsumePrefix(&rest, "ipv6:") || !ParseIpv6(SplitAddress(rest).first, &v6)) {
    return plain;
  }
  char text[INET6_ADDRSTRLEN];
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    return inet_ntop(AF_INET, &v6.s6_addr[12], text, sizeof(text));
  }
  std::memset(&v6.s6_addr[8], 0, 8);
  return absl::StrCat(inet_ntop(AF_INET6, &v6, text, sizeof(text)), "/64");
}

}  // namespace sluiced::access
