#include "client/src/security.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "client/src/status.h"

namespace sluice {
namespace {

Result<std::string> ReadPem(const std::string& option, const std::string& path) {
  if (path.empty()) return std::string();
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return InvalidField(option, path + ": is a directory");
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return InvalidField(option, path + ": " + std::strerror(errno));
  // gRPC would only find out in the handshake, and say nothing of the file.
  if (text.find("-----BEGIN ") == std::string::npos) {
    return InvalidField(option, path + ": is no PEM file");
  }
  return text;
}

}  // namespace

bool IsLocal(const std::string& address) {
  if (address.starts_with("unix:")) return true;
  std::string host = address.substr(0, address.rfind(':'));
  if (host == "localhost") return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == IN_LOOPBACKNET;
  in6_addr v6;
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

Result<std::shared_ptr<grpc::ChannelCredentials>> MakeCredentials(const ClientOptions& options) {
  if (!options.tls) return grpc::InsecureChannelCredentials();
  const TlsOptions& tls = *options.tls;
  if (tls.cert_file.empty() != tls.key_file.empty()) {
    return InvalidField(tls.cert_file.empty() ? "tls-cert" : "tls-key",
                        "a certificate and its key go together");
  }
  grpc::SslCredentialsOptions pems;
  for (auto& [option, path, pem] : {std::tuple("tls-ca", &tls.ca_file, &pems.pem_root_certs),
                                    std::tuple("tls-cert", &tls.cert_file, &pems.pem_cert_chain),
                                    std::tuple("tls-key", &tls.key_file, &pems.pem_private_key)}) {
    Result<std::string> text = ReadPem(option, *path);
    if (!text.ok()) return text.status();
    *pem = *std::move(text);
  }
  return grpc::SslCredentials(pems);
}

Status CheckToken(const std::string& address, const ClientOptions& options) {
  const std::string& token = options.token;
  // None of its characters is told: it may be a secret in the wrong place.
  const bool sendable =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!sendable) {
    return InvalidField("token", "holds a space, a line end or another character no token has");
  }
  if (token.empty() || options.tls || options.insecure || IsLocal(address)) return {};
  return InvalidField("token",
                      "would travel to " + address +
                          " for all to read: use TLS (--tls, --tls-ca), or say --insecure");
}

}  // namespace sluice
